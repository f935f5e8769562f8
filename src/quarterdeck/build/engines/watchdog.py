"""Notices that a build says nothing any more, and looks at what its emulators do meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from quarterdeck.build.engines.emulators import Emulator

_LOOKS = 8
_SHORTEST = 0.05
_WORKS = 0.1


@dataclass(frozen=True)
class Busy:
    """An emulator that was there all the time, and the share of one processor that it used."""

    emulator: Emulator
    share: float


@dataclass(frozen=True)
class Hang:
    """Nothing was heard for ``seconds``; ``emulators`` are those of the build that lived through the last look, the busiest first."""

    seconds: float
    emulators: tuple[Busy, ...]

    @property
    def spins(self) -> bool:
        """Whether an emulator worked and said nothing; one that waits uses next to nothing, one that works shares with others."""
        return bool(self.emulators) and self.emulators[0].share >= _WORKS


class Watchdog:
    """Waits until nothing was heard for ``seconds``, for ever if that is None. ``look`` returns the emulators of the build."""

    def __init__(
        self, seconds: float | None, look: Callable[[], Mapping[int, Emulator]], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._seconds = seconds
        self._look = look
        self._clock = clock
        self._heard = clock()

    def heard(self) -> None:
        """Something was said."""
        self._heard = self._clock()

    async def wait(self) -> Hang:
        """Return when it was quiet for too long."""
        if self._seconds is None:
            never: asyncio.Future[Hang] = asyncio.get_running_loop().create_future()
            return await never
        before, since = dict[int, Emulator](), self._heard
        pause = max(_SHORTEST, self._seconds / _LOOKS)
        while (quiet := self._clock() - self._heard) < self._seconds:
            if quiet >= self._seconds / 2 and since <= self._heard:
                before, since = dict(self._look()), self._clock()
            await asyncio.sleep(max(_SHORTEST, min(pause, self._seconds - quiet)))
        return Hang(quiet, self._busy(before, self._clock() - since))

    def _busy(self, before: Mapping[int, Emulator], seconds: float) -> tuple[Busy, ...]:
        now = self._look()
        same = [(now[pid], emulator) for pid, emulator in before.items() if pid in now]
        busy = [Busy(late, (late.seconds - early.seconds) / max(seconds, _SHORTEST)) for late, early in same]
        return tuple(sorted(busy, key=lambda each: -each.share))
