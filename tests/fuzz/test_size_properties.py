from hypothesis import given
from hypothesis import strategies as st

from quarterdeck.core.size import format_size, parse_size
from quarterdeck.errors import UsageError

UNITS = {"K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


@given(st.text(max_size=40))
def test_any_text_is_a_size_or_a_usage_error(text: str) -> None:
    try:
        size = parse_size(text)
    except UsageError:
        return
    assert 0 <= size < 2**63


@given(st.integers(min_value=0, max_value=2**63 - 1))
def test_plain_bytes_come_back(size: int) -> None:
    assert parse_size(str(size)) == size


@given(
    st.integers(min_value=0, max_value=2**20),
    st.sampled_from(sorted(UNITS)),
    st.sampled_from(["", "B", "iB", "i"]),
    st.sampled_from(["", " "]),
)
def test_units_multiply(number: int, unit: str, suffix: str, space: str) -> None:
    expected = number * UNITS[unit]
    assert parse_size(f"{number}{space}{unit}{suffix}") == expected
    assert parse_size(f"{number}{space}{unit.lower()}{suffix}") == expected


@given(st.integers(min_value=0, max_value=2**62))
def test_a_written_size_reads_back_within_its_rounding(size: int) -> None:
    again = parse_size(format_size(size))
    assert abs(again - size) <= max(size, 1) * 0.05 + 1


@given(st.integers(min_value=0, max_value=2**62), st.integers(min_value=0, max_value=2**62))
def test_more_is_never_read_as_less(one: int, other: int) -> None:
    small, large = sorted((one, other))
    assert parse_size(f"{small}") <= parse_size(f"{large}")
