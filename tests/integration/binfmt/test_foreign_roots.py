"""Whole Debian systems of foreign architectures: dpkg and sudo in them, run by the emulators that ``qd binfmt`` would register."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.foreign_roots import unpacked_root
from tests.integration.binfmt.lab import require_lab, run_isolated

from quarterdeck.binfmt.change.install import wanted_of
from quarterdeck.binfmt.emulators.offer import Source, find_offer
from quarterdeck.binfmt.kernel.registration import Registration
from quarterdeck.binfmt.selection import select
from quarterdeck.core.arch import find_arch, host_arch, runs_natively
from quarterdeck.errors import MediaError

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

USER = 1000


@pytest.fixture(params=["aarch64", "riscv64"])
def system(request, tmp_path) -> Iterator[tuple[Path, str]]:
    """A foreign root with a user who may become root, and its architecture."""
    require_lab()
    if runs_natively(find_arch(request.param), host_arch()):
        pytest.skip(f"{request.param} is not foreign here")
    root = tmp_path / "root"
    try:
        packed = unpacked_root(request.param)
    except MediaError as error:
        pytest.skip(f"{error.message}: {error.reason}")
    root.mkdir()
    subprocess.run(["tar", "-xf", packed, "-C", root], check=True)
    (root / "etc/passwd").write_text(f"root:x:0:0::/root:/bin/sh\nuser:x:{USER}:{USER}::/:/bin/sh\n")
    (root / "etc/group").write_text(f"root:x:0:\nuser:x:{USER}:\n")
    (root / "etc/sudoers.d").mkdir(exist_ok=True)
    (root / "etc/sudoers").write_text("ALL ALL=(ALL) NOPASSWD: ALL\n")
    (root / "etc/sudoers").chmod(0o440)
    (root / "etc/pam.d").mkdir(exist_ok=True)
    (root / "etc/pam.d/sudo").write_text("".join(f"{kind} required pam_permit.so\n" for kind in ("auth", "account", "session")))
    tmp_path.chmod(0o755)
    yield root, request.param
    shutil.rmtree(root)


def registrations(arch: str, copies: Path, flags: str | None = None) -> list[Registration]:
    selection = select([arch])
    offer = find_offer(selection, Source(copies=copies), write=True)
    return [item.registration for item in wanted_of(selection, offer.emulators, flags=flags)]


def test_dpkg_of_a_foreign_root_names_its_architecture(system, tmp_path):
    root, arch = system
    done = run_isolated(["chroot", root, "/usr/bin/dpkg", "--print-architecture"], registrations=registrations(arch, tmp_path / "copies"))
    assert done.text.strip() == find_arch(arch).debian


def test_sudo_of_a_foreign_root_makes_a_user_root_because_of_flag_c(system, tmp_path):
    root, arch = system
    command = ["chroot", f"--userspec={USER}:{USER}", root, "/usr/bin/sudo", "-n", "/usr/bin/id", "-u"]
    assert run_isolated(command, registrations=registrations(arch, tmp_path / "copies")).text.strip() == "0"
    without = run_isolated(command, registrations=registrations(arch, tmp_path / "copies", "F"), check=False)
    assert without.returncode != 0
    assert b"effective uid is not 0" in without.stderr or b"uid 0" in without.stderr
