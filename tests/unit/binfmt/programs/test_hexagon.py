"""Words as LLVM's assembler (14) has them."""

from collections.abc import Callable

import pytest

from quarterdeck.binfmt.programs.build import back_end
from quarterdeck.binfmt.programs.isa import Isa, Register, Width
from quarterdeck.core.arch import find_arch

BASE = 0x400000


def words(operation: Callable[[Isa], None], **labels: int) -> list[int]:
    isa = back_end(find_arch("hexagon"))
    operation(isa)
    content = isa.code.content(BASE, labels)
    return [int.from_bytes(content[at : at + 4], "little") for at in range(0, len(content), 4)]


def test_a_constant_is_two_halves() -> None:
    assert words(lambda isa: isa.constant(Register.A0, 0x12345678)) == [0x7160D678, 0x7220D234]
    assert words(lambda isa: isa.constant(Register.A1, -100)) == [0x71E1FF9C, 0x72E1FFFF]


@pytest.mark.parametrize(
    ("operation", "word"),
    [
        (lambda isa: isa.add(Register.SAVED, -64), 0xBFF0F810),
        (lambda isa: isa.add(Register.A3, 63), 0xB003C7E3),
        (lambda isa: isa.negate(Register.A2, Register.RESULT), 0x7640C002),
        (lambda isa: isa.load(Register.A4, Register.A0, width=Width.WORD, offset=60), 0x9180C1E4),
        (lambda isa: isa.load(Register.A4, Register.A1, width=Width.BYTE, offset=3), 0x9121C064),
        (lambda isa: isa.store_word(Register.SAVED, Register.A1), 0xA181D000),
        (lambda isa: isa.stack_pointer(Register.A1), 0x707DC001),
    ],
)
def test_each_operation_is_a_packet(operation: Callable[[Isa], None], word: int) -> None:
    assert words(operation) == [word]


def test_comparisons_come_before_their_jumps() -> None:
    assert words(lambda isa: isa.branch_if_zero(Register.A2, "here"), here=BASE + 4) == [0x7502C000, 0x5C00C000]
    assert words(lambda isa: isa.branch_if_negative(Register.A2, "here"), here=BASE + 4) == [0x7562FFE0, 0x5C20C000]


def test_a_system_call_is_the_trap_that_qemu_itself_uses_for_sigreturn() -> None:
    assert words(lambda isa: isa.system_call(139))[-1] == 0x5400C004


def test_the_header_names_a_machine_because_qemu_refuses_others() -> None:
    assert back_end(find_arch("hexagon")).flags == 0x60
