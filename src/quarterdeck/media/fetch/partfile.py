"""The file that a download grows in, and the view of it for those who read it from front to back meanwhile."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from quarterdeck.errors import MediaError, QuarterdeckError
from quarterdeck.media.fetch.room import write_error


class Arrival:
    """How far a download is, for threads that wait for more of it."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._prefix = 0
        self._complete = False
        self._verified = False
        self._error: QuarterdeckError | None = None

    def advance(self, prefix: int) -> None:
        """Say that all bytes before ``prefix`` are there."""
        with self._changed:
            self._prefix = max(prefix, self._prefix)
            self._changed.notify_all()

    def complete(self) -> None:
        """Say that no more bytes follow."""
        with self._changed:
            self._complete = True
            self._changed.notify_all()

    def verify(self) -> None:
        """Say that the file is the right one."""
        with self._changed:
            self._verified = True
            self._changed.notify_all()

    def fail(self, error: QuarterdeckError) -> None:
        """Give everybody who waits, now or later, this error; the first one counts."""
        with self._changed:
            self._error = self._error or error
            self._changed.notify_all()

    def wait_beyond(self, position: int) -> int:
        """Block until there are bytes at ``position`` or the end; return how many bytes are there from the first on.

        Raises:
            QuarterdeckError: the download failed.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._error or self._complete or self._prefix > position)
            if self._error is not None:
                raise self._error
            return self._prefix

    def wait_verified(self) -> None:
        """Block until the file is complete and verified.

        Raises:
            QuarterdeckError: the download failed.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._error or self._verified)
            if self._error is not None:
                raise self._error


class PartFile:
    """The growing file; written at any place, sparse."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise write_error(path, error) from error

    def write(self, offset: int, data: bytes) -> None:
        """Write ``data`` at ``offset``.

        Raises:
            HostError: no space, or the file system failed.
        """
        view = memoryview(data)
        try:
            while view:
                written = os.pwrite(self._handle, view, offset)
                view, offset = view[written:], offset + written
        except OSError as error:
            raise write_error(self.path, error) from error

    def read(self, offset: int, size: int) -> bytes:
        """Return up to ``size`` bytes at ``offset``.

        Raises:
            MediaError: the file system failed.
        """
        try:
            return os.pread(self._handle, size, offset)
        except OSError as error:
            raise _unreadable(self.path, error) from error

    def resize(self, size: int) -> None:
        """Give the file its size, without using space."""
        try:
            os.ftruncate(self._handle, size)
        except OSError as error:
            raise write_error(self.path, error) from error

    def sync(self) -> None:
        """Make durable what was written.

        Raises:
            HostError: the disk failed.
        """
        try:
            os.fdatasync(self._handle)
        except OSError as error:
            raise write_error(self.path, error) from error

    def close(self) -> None:
        """Give the file back."""
        os.close(self._handle)


class PartSource:
    """A download as a source of bytes, while it still runs; made for one reading thread."""

    def __init__(self, path: Path, name: str, arrival: Arrival) -> None:
        self.name = name
        self.size: int | None = None
        self._path = path
        self._arrival = arrival
        self._position = 0
        self._lock = threading.Lock()
        self._handle: int | None = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)

    def read(self, size: int) -> bytes:
        """Return up to ``size`` bytes as soon as at least one is there, or ``b""`` at the end.

        Raises:
            QuarterdeckError: the download failed or was given up.
        """
        available = self._arrival.wait_beyond(self._position) - self._position
        with self._lock:
            if self._handle is None:
                raise given_up(self.name)
            try:
                data = os.pread(self._handle, max(0, min(size, available)), self._position)
            except OSError as error:
                raise _unreadable(self._path, error) from error
        self._position += len(data)
        return data

    def whole(self) -> Path:
        """Return the file once it is complete and verified.

        Raises:
            QuarterdeckError: the download failed or was given up.
        """
        self._arrival.wait_verified()
        return self._path

    def close(self) -> None:
        """End all reading, also that of a thread in the middle of it."""
        self._arrival.fail(given_up(self.name))
        with self._lock:
            if self._handle is not None:
                os.close(self._handle)
                self._handle = None


def given_up(name: str) -> MediaError:
    """Return the error of reading a download that nobody goes on with."""
    return MediaError("download-given-up", f"the download of {name} was given up")


def _unreadable(path: Path, error: OSError) -> MediaError:
    return MediaError("image-unreadable", f"{path} cannot be read", reason=error.strerror or str(error))
