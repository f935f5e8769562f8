"""Words as GNU as (binutils 2.40) has them."""

from collections.abc import Callable

import pytest

from quarterdeck.binfmt.programs.build import back_end
from quarterdeck.binfmt.programs.isa import Isa, Register, Width
from quarterdeck.core.arch import find_arch

BASE = 0x400000


def code(operation: Callable[[Isa], None], arch: str = "sh4eb", **labels: int) -> str:
    isa = back_end(find_arch(arch))
    operation(isa)
    return isa.code.content(BASE, labels).hex(" ", 2)


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        (lambda isa: isa.load(Register.A0, Register.RESULT, width=Width.WORD, offset=60), "540f"),
        (lambda isa: isa.load(Register.A0, Register.A1, width=Width.BYTE, offset=3), "6453 7403 6440 644c"),
        (lambda isa: isa.store_word(Register.SAVED, Register.A1), "2582"),
        (lambda isa: isa.negate(Register.A0, Register.RESULT), "640b"),
        (lambda isa: isa.stack_pointer(Register.A0), "64f3"),
        (lambda isa: isa.jump("here"), "affe 0009"),
        (lambda isa: isa.branch_if_zero(Register.SAVED, "here"), "2888 8b01 affc 0009"),
        (lambda isa: isa.branch_if_negative(Register.RESULT, "here"), "4011 8901 affc 0009"),
    ],
)
def test_operations(operation: Callable[[Isa], None], expected: str) -> None:
    assert code(operation, here=BASE) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (-100, "e400 4418 7400 4418 7400 4418 749c"),
        # Each byte that would be negative takes one from what is above it.
        (0x00808080, "e401 4418 7481 4418 7481 4418 7480"),
        (0x3FFFFFFF, "e440 4418 7400 4418 7400 4418 74ff"),
    ],
)
def test_a_constant_is_built_of_signed_bytes(value: int, expected: str) -> None:
    assert code(lambda isa: isa.constant(Register.A0, value)) == expected


def test_little_endian_code_has_its_bytes_swapped() -> None:
    assert code(lambda isa: isa.stack_pointer(Register.A0), "sh4") == "f364"


def test_a_jump_that_is_too_far_is_found_out() -> None:
    with pytest.raises(AssertionError):
        code(lambda isa: isa.jump("there"), there=BASE + 0x1004)
