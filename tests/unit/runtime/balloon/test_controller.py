from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from quarterdeck.machine.spec import BallooningSpec
from quarterdeck.runtime.balloon.controller import Bounds, Cause, Reading, decide

MIB, GIB = 1 << 20, 1 << 30
WANTED = BallooningSpec()
BOUNDS = Bounds(minimum=GIB, maximum=4 * GIB)
CALM = Reading(total=16 * GIB, available=8 * GIB, pressure=0.0, actual=4 * GIB, spare=2 * GIB)
sizes = st.integers(0, 64 * GIB)
readings = st.builds(
    Reading,
    total=sizes,
    available=sizes,
    pressure=st.none() | st.floats(0, 100),
    actual=st.integers(GIB, 4 * GIB),
    spare=st.none() | sizes,
)


def test_nothing_happens_while_nothing_is_short():
    assert decide(CALM, BOUNDS, WANTED).cause is Cause.REST


def test_a_short_host_gets_what_is_missing():
    decision = decide(replace(CALM, available=CALM.total // 5 - 512 * MIB), BOUNDS, WANTED)
    assert decision.cause is Cause.SHORT
    assert decision.target == 4 * GIB - 512 * MIB


def test_a_guest_keeps_what_it_needs_until_the_host_is_in_need():
    busy = replace(CALM, available=2 * GIB, spare=100 * MIB)
    assert decide(busy, BOUNDS, WANTED).cause is Cause.REST
    need = decide(replace(busy, available=GIB), BOUNDS, WANTED)
    assert need.cause is Cause.NEED
    assert need.target < busy.actual - GIB


def test_pressure_alone_takes_memory_and_high_pressure_does_not_ask_the_guest():
    assert decide(replace(CALM, pressure=12.0), BOUNDS, WANTED).cause is Cause.SHORT
    assert decide(replace(CALM, pressure=12.0, spare=0), BOUNDS, WANTED).cause is Cause.REST
    assert decide(replace(CALM, pressure=60.0, spare=0), BOUNDS, WANTED).cause is Cause.NEED


def test_memory_comes_back_slowly_and_not_under_pressure():
    small = replace(CALM, actual=2 * GIB)
    assert decide(small, BOUNDS, WANTED).target == 2 * GIB + WANTED.hysteresis
    assert decide(replace(small, pressure=6.0), BOUNDS, WANTED).cause is Cause.REST
    assert decide(replace(small, pressure=None), BOUNDS, WANTED).cause is Cause.ROOM


def test_the_last_piece_comes_back_however_small():
    nearly = replace(CALM, actual=4 * GIB - 3 * MIB)
    assert decide(nearly, BOUNDS, WANTED).target == 4 * GIB


@given(readings)
def test_the_target_stays_within_its_bounds(reading):
    assert BOUNDS.minimum <= decide(reading, BOUNDS, WANTED).target <= BOUNDS.maximum


@given(readings)
def test_the_cause_says_which_way_it_went(reading):
    decision = decide(reading, BOUNDS, WANTED)
    if decision.cause is Cause.ROOM:
        assert decision.target > reading.actual
    if decision.cause in {Cause.SHORT, Cause.NEED}:
        assert decision.target < reading.actual


@given(st.integers(0, 16 * GIB), st.integers(0, 4 * GIB), st.integers(GIB, 4 * GIB), st.booleans())
def test_a_world_that_does_not_change_comes_to_rest(others, demand, actual, tells):
    """The guest uses what it needs of what it has; whatever else is used stays as it is."""
    targets = []
    for _ in range(60):
        used = min(actual, demand)
        reading = Reading(
            total=16 * GIB,
            available=max(0, 16 * GIB - others - used),
            pressure=None,
            actual=actual,
            spare=actual - used if tells else None,
        )
        actual = decide(reading, BOUNDS, WANTED).target
        targets.append(actual)
    assert len(set(targets[-20:])) == 1
    turns = [after > before for before, after in pairwise(targets) if after != before]
    assert sum(one != other for one, other in pairwise(turns)) <= 1
