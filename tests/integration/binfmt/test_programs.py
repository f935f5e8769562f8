"""The programs under the emulators themselves, without the kernel's binfmt_misc."""

import ctypes
import os
from pathlib import Path

import pytest
from tests.open_folders import open_to_others

from quarterdeck.binfmt.programs.build import EOVERFLOW_STATUS, EXEC_STATUS, Probe, back_end, build, supported
from quarterdeck.binfmt.programs.image import link
from quarterdeck.binfmt.programs.isa import Isa, Register, Width
from quarterdeck.core import process
from quarterdeck.core.arch import ARCHES, Arch, host_arch, runs_natively

pytestmark = pytest.mark.integration

EMULATED = [arch for arch in ARCHES if Probe.EXEC in supported(arch)]
PAIRS = [pytest.param(arch, probe, id=f"{arch.name}-{probe}") for arch in EMULATED for probe in sorted(supported(arch))]
NATIVE = [arch for arch in EMULATED if runs_natively(arch, host_arch())]
ARGV0 = "Zebra"
EBADF, EMFILE = 9, 24
NO_FILE = 999
SHORT = 120.0


class Entry(ctypes.Structure):
    """The beginning of struct dirent of 64-bit C libraries."""

    _fields_ = [("inode", ctypes.c_uint64), ("offset", ctypes.c_int64)]


def first_offset(folder: str) -> int:
    """Return d_off of the first entry, which Python does not show."""
    library = ctypes.CDLL(None)
    library.opendir.restype = ctypes.c_void_p
    library.readdir64.restype = ctypes.POINTER(Entry)
    library.readdir64.argtypes = library.closedir.argtypes = [ctypes.c_void_p]
    stream = library.opendir(folder.encode())
    try:
        return int(library.readdir64(stream).contents.offset)
    finally:
        library.closedir(stream)


def of_readdir(arch: Arch) -> int:
    return EOVERFLOW_STATUS if arch.elf.bits == 32 and first_offset("/") >> 32 else 0


def expected(arch: Arch, probe: Probe) -> int:
    match probe:
        case Probe.EXEC:
            return EXEC_STATUS
        case Probe.ARGV0:
            return ord(ARGV0[0])
        case Probe.CREDENTIALS:
            return os.geteuid() & 0xFF
        case Probe.READDIR:
            return of_readdir(arch)
        case _:
            return 0


def saved(content: bytes, folder: Path) -> Path:
    path = folder / "program"
    path.write_bytes(content)
    path.chmod(0o755)
    return path


def emulator(arch: Arch) -> str:
    """Return a static emulator, or Debian 13's, which is static under its plain name."""
    path = process.find(f"qemu-{arch.user}-static") or process.find(f"qemu-{arch.user}")
    if path is None:
        pytest.skip(f"there is no qemu-{arch.user} here")
    return path


def emulate(arch: Arch, program: Path, *options: str) -> process.Completed:
    return process.run([emulator(arch), "-0", ARGV0, *options, program], check=False, timeout=SHORT)


@pytest.mark.parametrize(("arch", "probe"), PAIRS)
def test_a_program_does_under_the_emulator_what_it_should(arch: Arch, probe: Probe, tmp_path: Path) -> None:
    done = emulate(arch, saved(build(arch, probe), tmp_path))
    assert (done.returncode, done.stdout, done.stderr) == (expected(arch, probe), b"", b"")


@pytest.mark.parametrize("arch", EMULATED, ids=lambda arch: arch.name)
def test_threads_and_signals_need_only_a_small_stack(arch: Arch, tmp_path: Path) -> None:
    for probe in sorted({Probe.THREADS, Probe.SIGNAL} & supported(arch)):
        assert emulate(arch, saved(build(arch, probe), tmp_path), "-s", "65536").returncode == 0, probe


@pytest.mark.parametrize("probe", Probe)
@pytest.mark.parametrize("arch", NATIVE, ids=lambda arch: arch.name)
def test_a_native_program_needs_no_emulator(arch: Arch, probe: Probe, tmp_path: Path) -> None:
    done = process.run([saved(build(arch, probe), tmp_path)], check=False, timeout=SHORT)
    # The kernel gives native 32-bit programs short offsets.
    others = {Probe.ARGV0: ord("/"), Probe.READDIR: 0}
    assert done.returncode == others.get(probe, expected(arch, probe))


@pytest.mark.parametrize("arch", NATIVE, ids=lambda arch: arch.name)
def test_a_folder_that_cannot_be_opened_gives_its_errno(arch: Arch, tmp_path: Path) -> None:
    program = saved(build(arch, Probe.READDIR), tmp_path)
    assert process.run(["prlimit", "--nofile=3", program], check=False, timeout=SHORT).returncode == EMFILE


@pytest.mark.parametrize("arch", NATIVE, ids=lambda arch: arch.name)
def test_a_thread_that_cannot_be_made_is_a_failure(arch: Arch, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("another user, whose processes can be limited to one, takes root")
    program = saved(build(arch, Probe.THREADS), tmp_path)
    open_to_others(tmp_path)
    nobody = process.Identity(uid=64321, gid=64321)
    assert process.run(["prlimit", "--nproc=1", program], check=False, timeout=SHORT, identity=nobody).returncode == 1


@pytest.mark.parametrize("arch", EMULATED, ids=lambda arch: arch.name)
def test_the_operations_do_what_they_promise_at_their_limits(arch: Arch, tmp_path: Path) -> None:
    isa = back_end(arch)
    operations(isa)
    assert emulate(arch, saved(link(isa), tmp_path)).returncode == 0


def operations(isa: Isa) -> None:
    """Write a program that ends with the number of the first check that failed, or 0."""
    checks = [
        *(constant(value) for value in (0x3FFFFFFF, 0x12345678, 0xFFFF, 0x8000, 0x7FFF, 0x800, 0x7FF, -1, -100, -0x8000, -0x40000000)),
        no_sign_after_load,
        additions,
        negation,
        far_offset,
        pointers,
        failed_call,
        saved_register,
    ]
    for number, check in enumerate(checks, start=1):
        check(isa, f"failed {number}")
    isa.call(isa.syscalls.exit_group, 0)
    for number in range(1, len(checks) + 1):
        isa.label(f"failed {number}")
        isa.call(isa.syscalls.exit_group, number)
    isa.zeros.label("scratch")
    isa.zeros.put(bytes(64))
    isa.data.label("bytes")
    isa.data.put(bytes(60) + (0x80000001).to_bytes(4, isa.arch.elf.order))
    isa.data.align(8)
    isa.data.label("pointer")
    isa.put_pointer("bytes")


def constant(value: int):
    def check(isa: Isa, failed: str) -> None:
        isa.constant(Register.SAVED, value)
        if value < 0:
            positive(isa, failed, Register.SAVED, name=f"sign {value}")
        else:
            isa.branch_if_negative(Register.SAVED, failed)
        isa.address(Register.A1, "scratch")
        isa.store_word(Register.SAVED, Register.A1)
        for index, byte in enumerate((value & 0xFFFFFFFF).to_bytes(4, isa.arch.elf.order)):
            isa.load(Register.A2, Register.A1, width=Width.BYTE, offset=index)
            must_be(isa, Register.A2, byte, failed)

    return check


def must_be(isa: Isa, register: Register, value: int, failed: str) -> None:
    """Subtract a small number in steps that all back ends can do, and go on if nothing is left."""
    while value:
        step = min(value, 64)
        isa.add(register, -step)
        value -= step
    good = f"good {isa.code.size}"
    isa.branch_if_zero(register, good)
    isa.jump(failed)
    isa.label(good)


def positive(isa: Isa, failed: str, register: Register, *, name: str) -> None:
    isa.branch_if_negative(register, name)
    isa.jump(failed)
    isa.label(name)


def no_sign_after_load(isa: Isa, failed: str) -> None:
    if isa.arch.elf.bits == 64:
        isa.address(Register.A0, "bytes")
        isa.load(Register.A0, Register.A0, width=Width.WORD, offset=60)
        isa.branch_if_negative(Register.A0, failed)


def additions(isa: Isa, failed: str) -> None:
    isa.constant(Register.A3, 0)
    isa.add(Register.A3, 63)
    isa.add(Register.A3, -64)
    positive(isa, failed, Register.A3, name="minus one")
    isa.add(Register.A3, 1)
    must_be(isa, Register.A3, 0, failed)


def negation(isa: Isa, failed: str) -> None:
    isa.constant(Register.A4, -100)
    isa.negate(Register.A2, Register.A4)
    must_be(isa, Register.A2, 100, failed)
    isa.negate(Register.A4, Register.A4)
    isa.copy(Register.A1, Register.A4)
    must_be(isa, Register.A1, 100, failed)


def far_offset(isa: Isa, failed: str) -> None:
    isa.address(Register.A0, "bytes")
    isa.load(Register.A1, Register.A0, width=Width.WORD, offset=56)
    must_be(isa, Register.A1, 0, failed)
    isa.load(Register.A1, Register.A0, width=Width.WORD, offset=60)
    isa.branch_if_zero(Register.A1, failed)


def pointers(isa: Isa, failed: str) -> None:
    isa.address(Register.A0, "pointer")
    isa.load(Register.A0, Register.A0, width=isa.pointer_width)
    isa.load(Register.A0, Register.A0, width=Width.WORD, offset=60)
    isa.address(Register.A1, "scratch")
    isa.store_word(Register.A0, Register.A1)
    isa.load(Register.A2, Register.A1, width=Width.BYTE, offset=0 if isa.arch.elf.little else 3)
    must_be(isa, Register.A2, 1, failed)


def failed_call(isa: Isa, failed: str) -> None:
    isa.call(isa.syscalls.getdents64, NO_FILE, "scratch", 64)
    positive(isa, failed, Register.RESULT, name="refused")
    isa.negate(Register.A0, Register.RESULT)
    must_be(isa, Register.A0, EBADF, failed)


def saved_register(isa: Isa, failed: str) -> None:
    isa.constant(Register.SAVED, 77)
    isa.call(isa.syscalls.getpid)
    isa.branch_if_negative(Register.RESULT, failed)
    isa.branch_if_zero(Register.RESULT, failed)
    must_be(isa, Register.SAVED, 77, failed)
