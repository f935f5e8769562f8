"""How much memory the guest should have now. Pure.

A short host is answered at once, by as much as is missing; a host with room is answered slowly, and only as far as ``hysteresis`` beyond
what was asked for stays free. What is given can therefore never be what makes the host short again, and a guest whose host does
not change comes to rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from quarterdeck.machine.spec import BallooningSpec

_GRAIN = 1 << 20
"""Targets are whole mebibytes."""
_LEAST_CHANGE = 16 << 20
"""Smaller changes are not worth the guest's work."""
_GUEST_RESERVE = 0.1
"""The share of its memory that a guest keeps free unless the host is in need."""


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """Between what the guest's memory moves, in bytes."""

    minimum: int
    maximum: int


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What is seen at one moment, in bytes.

    ``total`` and ``available`` are the container's memory or the host's; ``pressure`` is PSI's ``some avg10`` in percent, None where
    the kernel does not measure it. ``actual`` is what the guest has; ``spare`` what it could do without, None when it does not say.
    """

    total: int
    available: int
    pressure: float | None
    actual: int
    spare: int | None


class Cause(StrEnum):
    """Why the target is what it is."""

    REST = "nothing is short"
    SHORT = "the host is short of memory"
    NEED = "the host is in need of memory"
    ROOM = "the host has memory to spare"


@dataclass(frozen=True)
class Decision:
    """The guest's memory from now on, in bytes, and why."""

    target: int
    cause: Cause


def decide(reading: Reading, bounds: Bounds, wanted: BallooningSpec) -> Decision:
    """Return what the guest should have now."""
    missing = _missing(reading, wanted)
    if _in_need(reading, wanted):
        return _shrink(reading, bounds, max(missing, wanted.hysteresis), Cause.NEED)
    if missing > 0:
        takeable = missing if reading.spare is None else min(missing, _takeable(reading))
        return _shrink(reading, bounds, takeable, Cause.SHORT)
    return _grow(reading, bounds, wanted, room=-missing)


def _missing(reading: Reading, wanted: BallooningSpec) -> int:
    """Return the bytes that are short of what shall stay free; negative: that much is free beyond it."""
    missing = reading.total * (100 - wanted.usage) // 100 - reading.available
    if reading.pressure is not None and reading.pressure >= wanted.pressure:
        return max(missing, wanted.hysteresis)
    return missing


def _in_need(reading: Reading, wanted: BallooningSpec) -> bool:
    full = reading.available * 100 < reading.total * (100 - wanted.usage_hard)
    return full or (reading.pressure is not None and reading.pressure >= wanted.pressure_hard)


def _takeable(reading: Reading) -> int:
    return max(0, (reading.spare or 0) - int(reading.actual * _GUEST_RESERVE))


def _shrink(reading: Reading, bounds: Bounds, amount: int, cause: Cause) -> Decision:
    target = _within(reading.actual - amount, bounds)
    taken = reading.actual - target
    if taken <= 0 or taken < min(_LEAST_CHANGE, reading.actual - bounds.minimum):
        return Decision(_within(reading.actual, bounds), Cause.REST)
    return Decision(target, cause)


def _grow(reading: Reading, bounds: Bounds, wanted: BallooningSpec, *, room: int) -> Decision:
    calm = reading.pressure is None or reading.pressure * 2 < wanted.pressure
    amount = min(room - wanted.hysteresis, wanted.hysteresis) if calm else 0
    target = _within(reading.actual + amount, bounds)
    given = target - reading.actual
    if amount <= 0 or given <= 0 or given < min(_LEAST_CHANGE, bounds.maximum - reading.actual):
        return Decision(_within(reading.actual, bounds), Cause.REST)
    return Decision(target, Cause.ROOM)


def _within(size: int, bounds: Bounds) -> int:
    return max(bounds.minimum, min(bounds.maximum, size // _GRAIN * _GRAIN))
