"""What reaches a command in the foreground: the machine's events and the user's signals, one after the other."""

from __future__ import annotations

import queue
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from quarterdeck.errors import QuarterdeckError
from quarterdeck.runtime.client import SupervisorClient
from quarterdeck.runtime.events import Record

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Interrupt:
    """A signal that asks for the end."""

    number: int


@dataclass(frozen=True)
class Quiet:
    """Nothing came for as long as the caller cared."""


@dataclass(frozen=True)
class End:
    """There are no more events: the supervisor ended, or is about to."""


Item = Record | Interrupt | Quiet | End


@dataclass
class Inbox:
    """Events and signals in the order in which they came.

    A thread reads the events. Signal handlers only put a number into the queue, which SimpleQueue allows at any moment,
    so that nothing is printed or asked in the middle of something else.
    """

    _items: queue.SimpleQueue[Item] = field(default_factory=queue.SimpleQueue)

    def follow(self, client: SupervisorClient) -> None:
        """Begin to receive the events of ``client``, all past ones first."""
        threading.Thread(target=self._read, args=(client,), daemon=True).start()

    def receive(self, timeout: float | None = None) -> Item:
        """Return the next item; ``Quiet`` when none came for ``timeout`` seconds."""
        try:
            return self._items.get(timeout=timeout)
        except queue.Empty:
            return Quiet()

    @contextmanager
    def signals(self) -> Iterator[None]:
        """Receive SIGINT, SIGTERM and SIGHUP instead of ending by them."""
        before = {number: signal.signal(number, self._on_signal) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, number: int, _frame: object) -> None:
        self._items.put(Interrupt(number))

    def _read(self, client: SupervisorClient) -> None:
        with suppress(QuarterdeckError):  # what the supervisor leaves behind says more than how it hung up
            for record in client.events():
                self._items.put(record)
        self._items.put(End())
