"""What differs between the SPARC architectures; words as GNU as (binutils 2.40) has them."""

from collections.abc import Callable

import pytest

from quarterdeck.binfmt.programs.build import back_end
from quarterdeck.binfmt.programs.isa import Isa, Register
from quarterdeck.core.arch import find_arch

BASE = 0x400000
NOP = 0x01000000
CLONE, GETPID = 217, 20


def words(arch: str, operation: Callable[[Isa], None], **labels: int) -> list[int]:
    isa = back_end(find_arch(arch))
    operation(isa)
    content = isa.code.content(BASE, labels)
    return [int.from_bytes(content[at : at + 4], "big") for at in range(0, len(content), 4)]


@pytest.mark.parametrize(("arch", "branch"), [("sparc", 0x10800004), ("sparc32plus", 0x10800004), ("sparc64", 0x10600004)])
def test_only_64_bit_programs_branch_by_64_bit_flags(arch: str, branch: int) -> None:
    assert words(arch, lambda isa: isa.jump("there"), there=BASE + 16) == [branch, NOP]


@pytest.mark.parametrize(("arch", "trap"), [("sparc", 0x91D02010), ("sparc32plus", 0x91D02010), ("sparc64", 0x91D0206D)])
def test_the_trap_depends_on_the_width(arch: str, trap: int) -> None:
    assert trap in words(arch, lambda isa: isa.system_call(GETPID))


def test_only_clone_looks_at_the_second_result() -> None:
    mask = [0x92226001, 0x900A0009]
    assert words("sparc", lambda isa: isa.system_call(CLONE))[4:6] == mask
    assert words("sparc", lambda isa: isa.system_call(GETPID))[4:6] == [NOP, NOP]


def test_a_stack_pointer_of_64_bit_programs_has_a_bias() -> None:
    def stack(isa: Isa) -> None:
        isa.clone_arguments(0, "stack")

    assert words("sparc64", stack, stack=0x411280) == [0x13001044, 0x92126280, 0x92027801]
    assert words("sparc", stack, stack=0x411280)[-1] == 0x92026000


@pytest.mark.parametrize(("arch", "offset"), [("sparc", 68), ("sparc64", 2047 + 136)])
def test_arguments_stand_above_the_space_of_a_register_window(arch: str, offset: int) -> None:
    assert words(arch, lambda isa: isa.argument_zero(Register.A0))[0] == 0x9003A000 | offset


def test_sparc32plus_says_so_in_its_header() -> None:
    assert back_end(find_arch("sparc32plus")).flags == 0x100
