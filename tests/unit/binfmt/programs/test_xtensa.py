"""Bytes as GNU as (binutils 2.40) has them; big-endian, the fields stand in reverse."""

from collections.abc import Callable

import pytest

from quarterdeck.binfmt.programs.build import back_end
from quarterdeck.binfmt.programs.isa import Isa, Register, Width
from quarterdeck.core.arch import find_arch

BASE = 0x400000


def code(operation: Callable[[Isa], None], arch: str = "xtensa", **labels: int) -> str:
    isa = back_end(find_arch(arch))
    operation(isa)
    return isa.code.content(BASE, labels).hex(" ", 3)


@pytest.mark.parametrize(
    ("operation", "little", "big"),
    [
        (lambda isa: isa.add(Register.SAVED, -64), "c2ccc0", "2cccc0"),
        (lambda isa: isa.load(Register.A1, Register.A0, width=Width.WORD, offset=60), "32260f", "23620f"),
        (lambda isa: isa.load(Register.A2, Register.A1, width=Width.BYTE, offset=3), "420303", "243003"),
        (lambda isa: isa.store_word(Register.SAVED, Register.A1), "c26300", "2c3600"),
        (lambda isa: isa.negate(Register.A0, Register.RESULT), "206060", "020606"),
        (lambda isa: isa.stack_pointer(Register.A1), "103120", "011302"),
        (lambda isa: isa.jump("here"), "06ffff", "63fffc"),
        (lambda isa: isa.branch_if_zero(Register.RESULT, "here"), "562200 46feff", "652002 63fff9"),
        (lambda isa: isa.branch_if_negative(Register.RESULT, "here"), "d62200 46feff", "672002 63fff9"),
        (lambda isa: isa.system_call(118), "22a076 005000", "220a76 000500"),
    ],
)
def test_an_operation_is_the_same_fields_in_both_orders(operation: Callable[[Isa], None], little: str, big: str) -> None:
    assert code(operation, here=BASE) == little
    assert code(operation, "xtensaeb", here=BASE) == big


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0x50F00, "62a000 806611 62c605 006611 62d60f 62c600"),
        (-1, "62a000 806611 62c600 006611 62d600 62c6ff"),
        # Each byte that would be negative takes one from what is above it.
        (0x7F808080, "62a080 806611 62c681 006611 62d681 62c680"),
    ],
)
def test_a_constant_is_built_of_signed_bytes(value: int, expected: str) -> None:
    assert code(lambda isa: isa.constant(Register.A0, value)) == expected
