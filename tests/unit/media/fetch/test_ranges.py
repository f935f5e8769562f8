from hypothesis import given
from hypothesis import strategies as st

from quarterdeck.media.fetch.ranges import Ranges

spans = st.lists(st.tuples(st.integers(0, 200), st.integers(0, 50)).map(lambda pair: (pair[0], pair[0] + pair[1])), max_size=20)


@given(spans, spans)
def test_ranges_hold_exactly_the_bytes_that_were_added_and_not_removed(
    added: list[tuple[int, int]], removed: list[tuple[int, int]]
) -> None:
    ranges = Ranges(added)
    for start, end in removed:
        ranges.remove(start, end)
    expected = {byte for start, end in added for byte in range(start, end)} - {byte for start, end in removed for byte in range(start, end)}
    assert {byte for start, end in ranges.as_list() for byte in range(start, end)} == expected
    assert ranges.count == len(expected)
    assert ranges.prefix == next(byte for byte in range(300) if byte not in expected)


@given(spans, st.integers(1, 260), st.integers(1, 40))
def test_a_gap_is_the_first_missing_bytes_below_the_limit(added: list[tuple[int, int]], limit: int, longest: int) -> None:
    there = {byte for start, end in added for byte in range(start, end)}
    missing = [byte for byte in range(limit) if byte not in there]
    gap = Ranges(added).gap(limit, longest)
    if not missing:
        assert gap is None
        return
    assert gap is not None
    assert gap[0] == missing[0]
    assert gap[1] - gap[0] <= longest
    assert set(range(*gap)) <= set(missing)
    assert gap[1] == limit or gap[1] in there or gap[1] - gap[0] == longest
