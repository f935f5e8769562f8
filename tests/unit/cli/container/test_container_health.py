"""What the engine's health check is told of each state."""

import pytest

from quarterdeck.cli.container.health import judge
from quarterdeck.runtime.guestwatch import FELL_SILENT
from quarterdeck.runtime.state import State

_ILL = {State.PANICKED, State.IO_ERROR, State.CRASHED, State.UNKNOWN}


@pytest.mark.parametrize("state", [*State])
def test_every_state_has_a_verdict_and_a_line_that_names_the_machine(state):
    well, line = judge({"name": "mint", "state": state.value, "reason": "the reason"})
    assert well is (state not in _ILL)
    assert line.startswith("mint ")
    assert ("the reason" in line) is not well


def test_a_guest_whose_agent_never_answered_is_well():
    assert judge({"name": "mint", "state": "running", "reason": None}) == (True, "mint runs")


def test_a_guest_whose_agent_fell_silent_is_not():
    assert judge({"name": "mint", "state": "running", "reason": FELL_SILENT}) == (False, f"mint runs, but {FELL_SILENT}")
