"""The event log of one machine: what happened, in order, for everyone who watches."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from quarterdeck.core import clock

_KEPT = 2000
_VOLATILE = frozenset({"metrics", "guest"})


@dataclass(frozen=True)
class Record:
    """One event: a growing number, its type (``step``, ``state``, ``message``, ``qemu``, ``metrics``, ``guest``) and its JSON data."""

    id: int
    type: str
    data: dict[str, Any]


class EventLog:
    """Keeps the latest events and wakes those who follow them. Belongs to one event loop."""

    def __init__(self) -> None:
        self._records: deque[Record] = deque(maxlen=_KEPT)
        self._next = 1
        self._news = asyncio.Event()
        self._closed = False

    def publish(self, kind: str, data: dict[str, Any]) -> Record:
        """Append an event, stamped with the time; volatile types replace their predecessor."""
        record = Record(self._next, kind, {"time": clock.now(), **data})
        self._next += 1
        if self._replaces_last(record):
            self._records.pop()
        self._records.append(record)
        self._wake()
        return record

    def close(self) -> None:
        """End all followers after they have seen everything."""
        self._closed = True
        self._wake()

    async def follow(self, after: int = 0) -> AsyncIterator[Record]:
        """Yield all kept events whose number is above ``after``, then new ones as they come, until closed."""
        while True:
            news = self._news
            for record in [record for record in self._records if record.id > after]:
                after = record.id
                yield record
            if self._closed and not any(record.id > after for record in self._records):
                return
            if news is self._news:
                await news.wait()

    def _replaces_last(self, record: Record) -> bool:
        """Progress of a running step and samples would fill the log; only the last one matters later."""
        if not self._records or self._records[-1].type != record.type:
            return False
        if record.type in _VOLATILE:
            return True
        last = self._records[-1].data
        same_step = record.type == "step" and last.get("step") == record.data.get("step")
        return bool(same_step and last.get("status") == record.data.get("status") == "running")

    def _wake(self) -> None:
        waiting, self._news = self._news, asyncio.Event()
        waiting.set()
