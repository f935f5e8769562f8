"""How long a step will take, from what it took before."""

from __future__ import annotations

from quarterdeck.build.nodes.model import Runs
from quarterdeck.build.planning.history import History
from quarterdeck.build.planning.model import Estimate, Mode
from quarterdeck.build.planning.work import Work

_RUNS = {Mode.NATIVE: Runs.NATIVE, Mode.CROSS: Runs.NATIVE, Mode.EMULATED: Runs.EMULATED}


def estimate(history: History, key: str, mode: Mode, *, work: Work, build_key: str) -> Estimate | None:
    """Return how long a RUN will take, None when it was never measured: no number is made up.

    It is the median of what was measured in the same mode, else what the other mode took, else what the same step took for the build
    platform; these two are multiplied or divided by the usual slowdown of that sort of work.

    Args:
        history: what was measured.
        key: the step's.
        mode: how it will run.
        work: its sort.
        build_key: that of the same step for the build platform.
    """
    runs = _RUNS.get(mode)
    if runs is None:
        return None
    measured = history.find(key, runs)
    if measured is not None:
        return Estimate(measured, measured=True)
    if runs is Runs.EMULATED:
        native = _first(history.find(key, Runs.NATIVE), history.find(build_key, Runs.NATIVE))
        return None if native is None else Estimate(native * work.slowdown, measured=False)
    emulated = history.find(key, Runs.EMULATED)
    return None if emulated is None else Estimate(emulated / work.slowdown, measured=False)


def _first(*found: float | None) -> float | None:
    return next((seconds for seconds in found if seconds is not None), None)
