"""A stream that can be looked at before it is read."""

from __future__ import annotations

from typing import Protocol

from quarterdeck.media.packing.failures import truncated

CHUNK = 1 << 20
"""Bytes that are moved at once."""


class Reader(Protocol):
    """Anything that is read from front to back."""

    def read(self, size: int) -> bytes:
        """Return up to ``size`` bytes, at least one, or ``b""`` at the end."""


class Window:
    """``reader`` with a look ahead; ``position`` counts the bytes taken from its front. ``name`` is for error messages."""

    def __init__(self, reader: Reader, name: str) -> None:
        self.name = name
        self.position = 0
        self._reader = reader
        self._buffer = b""
        self._start = 0

    def peek(self, size: int) -> bytes:
        """Return the next ``size`` bytes without taking them; fewer at the end."""
        have = len(self._buffer) - self._start
        if have < size:
            parts = [self._buffer[self._start :]]
            while have < size and (part := self._reader.read(max(size - have, 1 << 16))):
                parts.append(part)
                have += len(part)
            self._buffer, self._start = b"".join(parts), 0
        return self._buffer[self._start : self._start + size]

    def read(self, size: int) -> bytes:
        """Take up to ``size`` bytes, at least one, or ``b""`` at the end."""
        if self._start < len(self._buffer):
            part = self._buffer[self._start : self._start + size]
            self._start += len(part)
            if self._start == len(self._buffer):
                self._buffer, self._start = b"", 0
        else:
            part = self._reader.read(size)
        self.position += len(part)
        return part

    def fill(self, size: int) -> bytes:
        """Take ``size`` bytes; fewer only at the end."""
        first = self.read(size)
        if len(first) in (0, size):
            return first
        parts = [first]
        missing = size - len(first)
        while missing and (part := self.read(missing)):
            parts.append(part)
            missing -= len(part)
        return b"".join(parts)

    def exactly(self, size: int) -> bytes:
        """Take ``size`` bytes.

        Raises:
            MediaError: there are fewer.
        """
        data = self.fill(size)
        if len(data) < size:
            raise truncated(self.name)
        return data

    def skip(self, size: int) -> None:
        """Take ``size`` bytes and drop them.

        Raises:
            MediaError: there are fewer.
        """
        while size:
            part = self.read(min(size, CHUNK))
            if not part:
                raise truncated(self.name)
            size -= len(part)

    def put_back(self, data: bytes) -> None:
        """Make the bytes that were taken last the next ones again."""
        if data:
            self._buffer, self._start = data + self._buffer[self._start :], 0
            self.position -= len(data)

    def drain(self) -> None:
        """Take everything to the end and drop it, so that every checksum on the way is checked."""
        while self.read(CHUNK):
            pass


class Part:
    """The next ``size`` bytes of ``window`` as a stream of their own."""

    def __init__(self, window: Window, size: int) -> None:
        self._window = window
        self.left = size

    def read(self, size: int) -> bytes:
        """Return up to ``size`` bytes.

        Raises:
            MediaError: the window ends before the part does.
        """
        if not self.left:
            return b""
        data = self._window.read(min(size, self.left))
        if not data:
            raise truncated(self._window.name)
        self.left -= len(data)
        return data
