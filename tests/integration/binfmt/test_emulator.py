import shutil
from pathlib import Path

import pytest

from quarterdeck.binfmt.emulators.find import find_emulator, find_emulators, inspect_emulator, version_of
from quarterdeck.core import process
from quarterdeck.core.arch import ARCHES, find_arch
from quarterdeck.errors import HostError

pytestmark = pytest.mark.integration

ARM = find_arch("arm64")


@pytest.fixture
def installed() -> Path:
    path = process.find("qemu-aarch64-static") or process.find("qemu-aarch64")
    if path is None:
        pytest.skip("no user-mode emulator of aarch64 is installed")
    return Path(path)


def test_every_emulator_of_the_distribution_is_found_and_is_what_its_name_says(installed: Path) -> None:
    search = find_emulators(ARCHES)
    assert [(arch.name, error.message, error.reason) for arch, error in search.failed] == []
    assert [one.arch for one in search.found] == list(ARCHES)
    assert len({one.version for one in search.found}) == 1
    assert all(one.static and not one.path.is_symlink() for one in search.found)


def test_an_emulator_is_found_in_a_folder_under_either_name(installed: Path, tmp_path: Path) -> None:
    for name in ("qemu-aarch64", "other-aarch64-static"):
        shutil.copy2(installed, tmp_path / name)
    assert find_emulator(ARM, folder=tmp_path).path == tmp_path / "qemu-aarch64"
    assert find_emulator(ARM, folder=tmp_path, prefix="other-").path == tmp_path / "other-aarch64-static"
    assert version_of(tmp_path / "qemu-aarch64") == version_of(installed)


def test_an_emulator_under_a_wrong_name_is_refused(installed: Path, tmp_path: Path) -> None:
    shutil.copy2(installed, tmp_path / "qemu-riscv64-static")
    with pytest.raises(HostError) as caught:
        find_emulator(find_arch("riscv64"), folder=tmp_path)
    assert caught.value.reason == "it emulates aarch64, not riscv64"


@pytest.mark.parametrize("program", ["/bin/true", "/bin/false", "/bin/cat", "/bin/sh"])
def test_programs_that_are_no_emulators_are_refused(program: str) -> None:
    with pytest.raises(HostError) as caught:
        inspect_emulator(Path(program), ARM)
    assert "version" in caught.value.reason
    assert "\n" not in caught.value.reason
