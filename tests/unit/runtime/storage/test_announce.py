import asyncio

import pytest

from quarterdeck.core.report import Event, Step, StepStatus
from quarterdeck.errors import UsageError
from quarterdeck.runtime.storage.announce import announced


def test_an_operation_is_told_from_its_beginning_to_its_end():
    told: list[Event] = []
    with announced(told.append, "making a backup"):
        assert told == [Step("storage", StepStatus.RUNNING, "making a backup")]
    assert told[1:] == [Step("storage", StepStatus.DONE, "making a backup")]


@pytest.mark.parametrize(
    ("error", "words"),
    [(UsageError("no", "not today"), "not today"), (asyncio.CancelledError(), "cancelled"), (OSError("/secret"), "failed")],
)
def test_an_operation_that_fails_says_why(error, words):
    told: list[Event] = []
    with pytest.raises(type(error)), announced(told.append, "growing disk0"):
        raise error
    assert told[-1] == Step("storage", StepStatus.FAILED, f"growing disk0: {words}")
