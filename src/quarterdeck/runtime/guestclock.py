"""Sets the guest's clock when it stood still: after a pause, and after this host slept."""

from __future__ import annotations

import time

from quarterdeck.core import clock
from quarterdeck.core.report import Level, Message
from quarterdeck.errors import DeadlineError, QemuError
from quarterdeck.guest import commands
from quarterdeck.guest.qga import GuestAgent
from quarterdeck.runtime.status import Status

_TOLERANCE_SECONDS = 1.0
"""What an agent of an emulated guest takes to answer."""


class ClockWatch:
    """Whether one machine's clock may be wrong. Clocks that nothing stopped are left alone: a guest may want another time than ours."""

    def __init__(self, status: Status) -> None:
        self._status = status
        self._doubtful = False
        self._slept = slept()

    def stood_still(self) -> None:
        """The guest's processors were stopped for some time and run again."""
        self._doubtful = True

    async def correct(self, agent: GuestAgent, offset: float | None) -> None:
        """Set the clock if it stood still and is ``offset`` seconds away from ours (guest minus host; None: it does not say)."""
        now = slept()
        doubtful = self._doubtful or now - self._slept > _TOLERANCE_SECONDS
        self._doubtful, self._slept = False, now
        if not doubtful or offset is None or abs(offset) < _TOLERANCE_SECONDS:
            return
        how = f"{abs(offset):.0f} s {'behind' if offset < 0 else 'ahead'}"
        try:
            await commands.set_time(agent, clock.now())
        except (QemuError, DeadlineError) as error:
            why = error.reason or error.message
            self._status.report(Message(Level.WARNING, f"the guest's clock is {how}, and its agent does not set it: {why}"))
        else:
            self._status.report(Message(Level.INFO, f"the guest's clock was {how} after it stood still, and was set"))


def slept() -> float:
    """Return the seconds that this host slept since it was booted. Source: clock_gettime(2), CLOCK_BOOTTIME and CLOCK_MONOTONIC."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) - time.clock_gettime(time.CLOCK_MONOTONIC)
