import pytest

from quarterdeck.binfmt.programs.assembler import Place, Section
from quarterdeck.binfmt.programs.isa import field


def absolute(label: str):
    return lambda place: place.address(label).to_bytes(2, "big")


def relative(label: str):
    return lambda place: place.distance(label).to_bytes(2, "big", signed=True)


def test_labels_before_and_after_are_resolved() -> None:
    section = Section()
    section.put(b"ab")
    section.label("middle")
    section.put_late(2, absolute("end"))
    section.put_late(2, relative("middle"))
    section.put_late(2, relative("end"))
    section.label("end")
    addresses = section.addresses(0x100)
    assert addresses == {"middle": 0x102, "end": 0x108}
    assert section.content(0x100, addresses) == b"ab" + bytes.fromhex("0108 fffe 0002")


def test_a_label_may_stand_in_another_section() -> None:
    code, data = Section(), Section()
    code.put_late(2, absolute("word"))
    data.put(b"xyz")
    data.label("word")
    assert code.content(0, data.addresses(0x200)) == bytes.fromhex("0203")


def test_alignment_fills_with_zeros_only_where_needed() -> None:
    section = Section()
    section.put(b"abc")
    section.align(4)
    section.align(4)
    assert (section.size, section.content(0, {})) == (4, b"abc\0")


def test_a_label_is_given_once() -> None:
    section = Section()
    section.label("here")
    with pytest.raises(AssertionError):
        section.label("here")


def test_a_missing_label_is_found_out() -> None:
    section = Section()
    section.put_late(2, absolute("nowhere"))
    with pytest.raises(KeyError):
        section.content(0, {})


def test_an_encoder_must_keep_to_its_size() -> None:
    section = Section()
    section.put_late(4, absolute("here"))
    with pytest.raises(AssertionError):
        section.content(0, {"here": 1})


def test_a_place_knows_distances_both_ways() -> None:
    place = Place(100, {"before": 90, "after": 104})
    assert (place.distance("before"), place.distance("after")) == (-10, 4)


@pytest.mark.parametrize(("value", "bits", "expected"), [(-1, 12, 0xFFF), (-2048, 12, 0x800), (4095, 12, 0xFFF), (0, 1, 0)])
def test_a_field_holds_signed_and_unsigned_numbers(value: int, bits: int, expected: int) -> None:
    assert field(value, bits=bits) == expected


@pytest.mark.parametrize("value", [-2049, 4096])
def test_a_field_does_not_cut(value: int) -> None:
    with pytest.raises(AssertionError):
        field(value, bits=12)
