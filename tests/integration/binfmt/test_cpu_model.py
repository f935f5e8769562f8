"""Copies of the real emulator of aarch64, by hand and through the kernel."""

from pathlib import Path

import pytest
from tests.integration.binfmt.lab import run_isolated

from quarterdeck.binfmt.emulators.copies import install_copy
from quarterdeck.binfmt.emulators.cpu_model import model_of
from quarterdeck.binfmt.emulators.find import Emulator, find_emulator, inspect_emulator
from quarterdeck.binfmt.emulators.flags import default_flags, kernel_version
from quarterdeck.binfmt.emulators.start_stub import HOSTS
from quarterdeck.binfmt.kernel.registration import Registration
from quarterdeck.binfmt.programs.build import EXEC_STATUS, Probe, back_end, build
from quarterdeck.binfmt.programs.image import link
from quarterdeck.binfmt.programs.isa import Register
from quarterdeck.core import process
from quarterdeck.core.arch import find_arch, host_arch
from quarterdeck.errors import HostError, UsageError

pytestmark = pytest.mark.integration

ARM = find_arch("arm64")
IMPDEF, NONE = "max,pauth-impdef=on", "max,pauth=off"
READ_ISAR1 = 0xD5380620
"""MRS X0, ID_AA64ISAR1_EL1, which Linux lets programs read: Documentation/arch/arm64/cpu-feature-registers.rst."""
SHIFT_API = 0xD3482C00
"""UBFX X0, X0, #8, #4: the field API, which is not zero with a hash of the implementation's own."""


@pytest.fixture
def emulator() -> Emulator:
    if host_arch().name not in HOSTS:
        pytest.skip(f"a CPU model of its own is not offered on {host_arch().name}")
    try:
        return find_emulator(ARM)
    except HostError as error:
        pytest.skip(f"{error.message}: {error.reason}")


def program(folder: Path, content: bytes) -> Path:
    file = folder / "program"
    file.write_bytes(content)
    file.chmod(0o755)
    return file


def hashing() -> bytes:
    """A program that ends with the field API of its processor."""
    isa = back_end(ARM)
    for instruction in (READ_ISAR1, SHIFT_API):
        isa.code.put(instruction.to_bytes(4, "little"))
    assert isa.registers[Register.A0] == 0
    isa.system_call(isa.syscalls.exit_group)
    return link(isa)


def status(*argv: str | Path, env: tuple[str, ...] = ()) -> int:
    return process.run(["env", "-u", "QEMU_CPU", *env, *argv], check=False, timeout=20).returncode


def registered(copy: Path, emulator: Emulator) -> tuple[Registration]:
    return (Registration.of(ARM, str(copy), default_flags(emulator, kernel_version())),)


def test_a_copy_has_its_model_and_the_original_keeps_its_own(emulator: Emulator, tmp_path: Path) -> None:
    file = program(tmp_path, hashing())
    impdef, none = (install_copy(emulator, model, tmp_path / "copies") for model in (IMPDEF, NONE))
    assert status(impdef, file) != 0
    assert status(none, file) == 0
    assert status(emulator.path, "-cpu", IMPDEF, file) == status(impdef, file)
    assert (model_of(impdef), model_of(none), model_of(emulator.path)) == (IMPDEF, NONE, None)


def test_environment_and_command_line_go_before_the_model(emulator: Emulator, tmp_path: Path) -> None:
    file = program(tmp_path, hashing())
    impdef = install_copy(emulator, IMPDEF, tmp_path / "copies")
    assert status(impdef, file, env=(f"QEMU_CPU={NONE}",)) == 0
    assert status(impdef, "-cpu", NONE, file) == 0


def test_a_copy_is_an_emulator_like_the_original(emulator: Emulator, tmp_path: Path) -> None:
    copy = inspect_emulator(install_copy(emulator, IMPDEF, tmp_path), ARM)
    assert (copy.version, copy.static) == (emulator.version, True)


def test_a_model_that_qemu_does_not_know_is_refused(emulator: Emulator, tmp_path: Path) -> None:
    for model in ("nosuch", "max,nosuch=on"):
        with pytest.raises(UsageError) as caught:
            install_copy(emulator, model, tmp_path)
        assert "nosuch" in caught.value.reason
    assert list(tmp_path.iterdir()) == []


def test_the_kernel_starts_the_copy_in_an_empty_root(emulator: Emulator, tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    program(root, hashing())
    lines = []
    for model in (IMPDEF, NONE):
        copy = install_copy(emulator, model, tmp_path / "copies")
        entries = registered(copy, emulator)
        lines.append(run_isolated(["env", "-u", "QEMU_CPU", "chroot", root, "/program"], registrations=entries, check=False).returncode)
    assert lines[0] != 0
    assert lines[1] == 0


def test_programs_get_their_own_arguments_through_the_kernel(emulator: Emulator, tmp_path: Path) -> None:
    entries = registered(install_copy(emulator, IMPDEF, tmp_path / "copies"), emulator)
    exec_program = program(tmp_path, build(ARM, Probe.EXEC))
    assert run_isolated([exec_program], registrations=entries, check=False).returncode == EXEC_STATUS
    (tmp_path / "program").unlink()
    file = program(tmp_path, build(ARM, Probe.ARGV0))
    done = run_isolated(["bash", "-c", 'exec -a "Zebra" "$0" one two', file], registrations=entries, check=False)
    assert chr(done.returncode) == ("Z" if "P" in entries[0].flags else str(file)[0])


def test_a_users_variable_goes_before_the_model_through_the_kernel(emulator: Emulator, tmp_path: Path) -> None:
    entries = registered(install_copy(emulator, IMPDEF, tmp_path / "copies"), emulator)
    file = program(tmp_path, hashing())
    assert run_isolated(["env", f"QEMU_CPU={NONE}", file], registrations=entries, check=False).returncode == 0
    broken = run_isolated(["env", "QEMU_CPU=nosuch", file], registrations=entries, check=False)
    assert broken.returncode == 1
    assert b"nosuch" in broken.stderr
