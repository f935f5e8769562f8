"""How system calls end, which each architecture tells in its own way, under the emulators themselves."""

import os
from pathlib import Path

import pytest
from tests.integration.binfmt.test_programs import EMULATED, emulate, emulator, saved
from tests.open_folders import open_to_others

from quarterdeck.binfmt.programs.build import Probe, back_end, build
from quarterdeck.binfmt.programs.image import link
from quarterdeck.binfmt.programs.isa import Register
from quarterdeck.core import process
from quarterdeck.core.arch import Arch

pytestmark = pytest.mark.integration

CLONE_VM, CLONE_THREAD = 0x100, 0x10000
EINVAL = 22
LARGE_ID = 70123
"""A user id that has more than 16 bits, and another low byte than 65534, the one that stands for those."""
SHORT = 120.0


def emulator_version(arch: Arch) -> int:
    """Return the major version of QEMU."""
    words = process.run([emulator(arch), "--version"], timeout=SHORT).stdout.split()
    return int(words[words.index(b"version") + 1].split(b".")[0])


@pytest.mark.parametrize("arch", EMULATED, ids=lambda arch: arch.name)
def test_a_clone_that_is_refused_gives_its_errno_and_no_thread(arch: Arch, tmp_path: Path) -> None:
    isa = back_end(arch)
    isa.call(isa.syscalls.clone, *isa.clone_arguments(CLONE_VM | CLONE_THREAD, "stack"))
    isa.negate(Register.A0, Register.RESULT)
    isa.system_call(isa.syscalls.exit_group)
    isa.zeros.put(bytes(1024))
    isa.zeros.label("stack")
    isa.zeros.put(bytes(1024))
    assert emulate(arch, saved(link(isa), tmp_path)).returncode == EINVAL


@pytest.mark.parametrize("arch", EMULATED, ids=lambda arch: arch.name)
def test_user_ids_keep_more_than_16_bits(arch: Arch, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    if arch.name == "sparc64" and emulator_version(arch) < 8:
        pytest.skip("QEMU before 8.0 cuts the ids of sparc64 to 16 bits: https://gitlab.com/qemu-project/qemu/-/issues/1394")
    program = saved(build(arch, Probe.CREDENTIALS), tmp_path)
    open_to_others(tmp_path)
    somebody = process.Identity(uid=LARGE_ID, gid=LARGE_ID)
    done = process.run([emulator(arch), program], check=False, timeout=SHORT, identity=somebody)
    assert done.returncode == LARGE_ID & 0xFF
