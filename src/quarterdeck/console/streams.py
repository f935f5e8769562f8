"""The long answers that are open now: event streams and WebSockets, so that they can be ended."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from quarterdeck.console.problems import RefusedError

MAX_STREAMS = 128
"""How many streams one listener serves at a time; each holds a socket and a task."""


class Streams:
    """All open streams of one listener, by the session they belong to. Belongs to one event loop."""

    def __init__(self, limit: int = MAX_STREAMS) -> None:
        self._limit = limit
        self._open: dict[asyncio.Event, str] = {}
        self._closed = False

    @contextmanager
    def open(self, session: str) -> Iterator[asyncio.Event]:
        """Register a stream; the event is set when it has to end.

        Raises:
            RefusedError: too many are open, or the server is shutting down.
        """
        if self._closed:
            raise RefusedError(503, "shutting-down", "the console is shutting down", hint="try again in a moment")
        if len(self._open) >= self._limit:
            raise RefusedError(503, "too-many-viewers", f"{self._limit} streams are open already", hint="close a viewer and try again")
        ended = asyncio.Event()
        self._open[ended] = session
        try:
            yield ended
        finally:
            del self._open[ended]

    def end(self, session: str) -> None:
        """End the streams of one session."""
        for ended, owner in self._open.items():
            if owner == session:
                ended.set()

    def end_all(self) -> None:
        """End all streams and accept no new ones."""
        self._closed = True
        for ended in self._open:
            ended.set()
