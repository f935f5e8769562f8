"""Words as GNU as (binutils 2.40) has them."""

from collections.abc import Callable

import pytest

from quarterdeck.binfmt.programs.build import back_end
from quarterdeck.binfmt.programs.isa import Isa, Register, Width
from quarterdeck.core.arch import find_arch

BASE = 0x400000


def words(operation: Callable[[Isa], None], **labels: int) -> list[int]:
    isa = back_end(find_arch("hppa"))
    operation(isa)
    content = isa.code.content(BASE, labels)
    return [int.from_bytes(content[at : at + 4], "big") for at in range(0, len(content), 4)]


def test_a_constant_is_scattered_over_two_instructions() -> None:
    assert words(lambda isa: isa.constant(Register.A0, 0x12345678)) == [0x23426246, 0x375A0CF0]
    assert words(lambda isa: isa.constant(Register.A1, -100)) == [0x233FFFFF, 0x37390F38]


def test_an_address_is_a_constant() -> None:
    assert words(lambda isa: isa.address(Register.A0, "there"), there=0x12345678) == [0x23426246, 0x375A0CF0]


@pytest.mark.parametrize(("value", "word"), [(-64, 0x34633F81), (63, 0x3463007E)])
def test_the_sign_of_an_immediate_comes_last(value: int, word: int) -> None:
    assert words(lambda isa: isa.add(Register.SAVED, value)) == [word]


def test_loads_stores_and_subtraction() -> None:
    assert words(lambda isa: isa.load(Register.A0, Register.RESULT, width=Width.WORD, offset=60)) == [0x4B9A0078]
    assert words(lambda isa: isa.negate(Register.A0, Register.RESULT)) == [0x0B80041A]


@pytest.mark.parametrize(("distance", "word"), [(80, 0x801C2090), (-80, 0x801C3F55)])
def test_branches_count_from_after_their_delay_slot(distance: int, word: int) -> None:
    assert words(lambda isa: isa.branch_if_zero(Register.RESULT, "there"), there=BASE + distance)[0] == word


def test_a_branch_that_is_too_far_is_found_out() -> None:
    with pytest.raises(AssertionError):
        words(lambda isa: isa.jump("there"), there=BASE + 0x4000)


def test_a_system_call_goes_through_the_gateway_page() -> None:
    assert words(lambda isa: isa.system_call(1)) == [0xE4008200, 0x34140002]
