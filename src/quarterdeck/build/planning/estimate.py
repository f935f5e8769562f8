"""How long a step will take, from what it took before."""

from __future__ import annotations

from quarterdeck.build.nodes.model import Runs
from quarterdeck.build.planning.history import History
from quarterdeck.build.planning.model import Estimate, Mode
from quarterdeck.build.planning.work import Work

_RUNS = {Mode.NATIVE: Runs.NATIVE, Mode.CROSS: Runs.NATIVE, Mode.EMULATED: Runs.EMULATED}


def estimate(history: History, key: str, mode: Mode, work: Work) -> Estimate | None:
    """Return how long a RUN will take: the median of what was measured in the same mode, else derived from the other one.

    None when it was never measured: no number is made up. What is derived uses the usual slowdown of that sort of work.
    """
    runs = _RUNS.get(mode)
    if runs is None:
        return None
    measured = history.find(key, runs)
    if measured is not None:
        return Estimate(measured, measured=True)
    other = history.find(key, Runs.NATIVE if runs is Runs.EMULATED else Runs.EMULATED)
    if other is None:
        return None
    return Estimate(other * work.slowdown if runs is Runs.EMULATED else other / work.slowdown, measured=False)
