"""The stub in tiny programs for both kinds of hosts, which tell by their exit status what they were started with."""

from pathlib import Path

import pytest

from quarterdeck.binfmt.emulators.cpu_model import with_cpu_model
from quarterdeck.binfmt.programs.build import back_end
from quarterdeck.binfmt.programs.image import link
from quarterdeck.binfmt.programs.isa import Isa, Register, Width
from quarterdeck.core import process
from quarterdeck.core.arch import Arch, find_arch, host_arch

pytestmark = pytest.mark.integration

HOSTS = [pytest.param(find_arch(name), id=name) for name in ("x86_64", "aarch64")]
MODEL = "max,pauth-impdef=on"
TYPE_OF_THIRD_HEADER = 64 + 2 * 56
NOTE = 4
A0 = Register.A0


def finished(isa: Isa) -> bytes:
    """End with what A0 holds; the file has a note, as the emulators have."""
    isa.system_call(isa.syscalls.exit_group)
    data = bytearray(link(isa))
    data[TYPE_OF_THIRD_HEADER : TYPE_OF_THIRD_HEADER + 4] = NOTE.to_bytes(4, "little")
    return bytes(data)


def counting(arch: Arch) -> bytes:
    """A program that ends with argc."""
    isa = back_end(arch)
    isa.stack_pointer(A0)
    isa.load(A0, A0, width=Width.WORD)
    return finished(isa)


def spelling(arch: Arch, word: int, letter: int = 0) -> bytes:
    """A program that ends with a letter of the word that is so many pointers behind argc: argv, a zero, the environment."""
    isa = back_end(arch)
    isa.stack_pointer(A0)
    isa.load(A0, A0, width=Width.DOUBLE, offset=8 * (word + 1))
    isa.load(A0, A0, width=Width.BYTE, offset=letter)
    return finished(isa)


def aligned(arch: Arch) -> bytes:
    """A program that ends with the lowest byte of the stack pointer."""
    isa = back_end(arch)
    isa.stack_pointer(A0)
    return finished(isa)


@pytest.fixture(params=HOSTS)
def host(request) -> Arch:
    arch: Arch = request.param
    if emulator(arch) is None:
        pytest.skip(f"there is no emulator that runs {arch.name} programs")
    return arch


def emulator(arch: Arch) -> list[str] | None:
    """Return what runs programs of ``arch``: nothing at all on such a host."""
    if arch is host_arch():
        return []
    path = process.find(f"qemu-{arch.user}-static") or process.find(f"qemu-{arch.user}")
    return None if path is None else [path]


def run(host: Arch, program: bytes, folder: Path, *, words: tuple[str, ...] = (), env: tuple[str, ...] = ()) -> int:
    """Return the exit status of ``program`` with a model, started with exactly these arguments and this environment."""
    file = folder / "Zebra"
    file.write_bytes(with_cpu_model(program, MODEL))
    file.chmod(0o755)
    return process.run(["env", "-i", *env, *(emulator(host) or []), file, *words], check=False, timeout=20).returncode


@pytest.mark.parametrize("words", [(), ("one",), ("one", "two")])
def test_two_arguments_are_added(host: Arch, tmp_path: Path, words: tuple[str, ...]) -> None:
    assert run(host, counting(host), tmp_path, words=words) == 1 + 2 + len(words)


@pytest.mark.parametrize(
    "env", [("QEMU_CPU=max",), ("A=1", "QEMU_CPU=max", "B=2"), ("A=1", "B=2", "QEMU_CPU=max"), ("QEMU_CPU=max", "A=1")]
)
def test_a_qemu_cpu_of_the_user_is_left_alone(host: Arch, tmp_path: Path, env: tuple[str, ...]) -> None:
    assert run(host, counting(host), tmp_path, words=("one",), env=env) == 2


@pytest.mark.parametrize("env", [("QEMU_CPUS=max",), ("XQEMU_CPU=max",), ("QEMU_CP=max",), ("qemu_cpu=max",), ("A=QEMU_CPU=max",), ("A=",)])
def test_other_variables_are_other_variables(host: Arch, tmp_path: Path, env: tuple[str, ...]) -> None:
    assert run(host, counting(host), tmp_path, env=env) == 3


def test_the_arguments_are_the_option_and_the_model_before_all_others(host: Arch, tmp_path: Path) -> None:
    for letter, expected in enumerate("-cpu"[:4]):
        assert chr(run(host, spelling(host, 1, letter), tmp_path, words=("yak",))) == expected
    for letter, expected in enumerate(MODEL[:4]):
        assert chr(run(host, spelling(host, 2, letter), tmp_path, words=("yak",))) == expected
    assert chr(run(host, spelling(host, 3), tmp_path, words=("yak",))) == "y"


def test_argv0_stays_and_so_does_the_environment(host: Arch, tmp_path: Path) -> None:
    name = str(tmp_path)[0]
    assert chr(run(host, spelling(host, 0), tmp_path)) == name
    # argv[0], "-cpu", the model, a zero, the environment.
    assert chr(run(host, spelling(host, 4), tmp_path, env=("quagga=1",))) == "q"


@pytest.mark.parametrize("words", [(), ("one",), ("one", "two")])
def test_the_stack_stays_aligned(host: Arch, tmp_path: Path, words: tuple[str, ...]) -> None:
    assert run(host, aligned(host), tmp_path, words=words) % 16 == 0
