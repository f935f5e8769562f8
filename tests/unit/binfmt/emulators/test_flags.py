from pathlib import Path

import pytest

from quarterdeck.binfmt.emulators.find import Emulator, Version
from quarterdeck.binfmt.emulators.flags import check_flags, default_flags, kernel_version, supports_argv0
from quarterdeck.core.arch import find_arch
from quarterdeck.errors import UsageError


@pytest.mark.parametrize(
    ("version", "kernel", "flags"),
    [
        ((6, 0, 0), (5, 12), "POCF"),
        ((10, 0, 2), (6, 12), "POCF"),
        ((5, 2, 0), (6, 1), "OCF"),
        ((7, 2, 22), (5, 11), "OCF"),
        ((7, 2, 22), (0, 0), "OCF"),
    ],
)
def test_p_needs_emulator_and_kernel(version: Version, kernel: tuple[int, int], flags: str) -> None:
    emulator = Emulator(find_arch("arm64"), Path("/usr/bin/qemu-aarch64-static"), version, static=True)
    assert default_flags(emulator, kernel) == flags
    assert supports_argv0(version, kernel) == ("P" in flags)


@pytest.mark.parametrize(
    ("release", "version"),
    [("6.1.0-30-amd64", (6, 1)), ("5.12", (5, 12)), ("4.19.128-microsoft-standard", (4, 19)), ("", (0, 0)), ("GNU", (0, 0))],
)
def test_kernel_releases_are_understood(release: str, version: tuple[int, int]) -> None:
    assert kernel_version(release) == version


def test_this_kernel_has_a_version() -> None:
    assert kernel_version() > (3, 0)


@pytest.mark.parametrize(
    ("text", "flags"), [("CF", "OCF"), ("fcp", "POCF"), ("F", "F"), ("O", "O"), ("", ""), ("PP", "P"), ("POCF", "POCF")]
)
def test_flags_are_given_as_the_kernel_shows_them(text: str, flags: str) -> None:
    assert check_flags(text) == flags


@pytest.mark.parametrize("text", ["X", "C F", "CF:", "C\n", "ß"])
def test_other_letters_are_refused_with_those_that_there_are(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_flags(text)
    assert "argv[0]" in caught.value.hint
