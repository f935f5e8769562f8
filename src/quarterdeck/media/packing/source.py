"""Where the bytes of a packed image come from: a file, or a download that still runs."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from quarterdeck.errors import MediaError
from quarterdeck.media.formats import open_image


class ByteSource(Protocol):
    """Bytes from the first to the last; read in a thread, since all methods may block."""

    @property
    def name(self) -> str:
        """What people know it by: a file name or URL."""

    @property
    def size(self) -> int | None:
        """Bytes in all, None while nobody knows."""

    def read(self, size: int) -> bytes:
        """Return up to ``size`` bytes, at least one, or ``b""`` at the end."""

    def whole(self) -> Path:
        """Return the complete file, once all of it is on disk; for formats that are not read from front to back."""


class FileSource:
    """A file of this host, read from its beginning; it is never changed. Use it in a ``with`` block.

    Raises:
        MediaError: it is missing, not a file, or cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = open_image(path)
        self.name = str(path)
        self.size: int | None = self._file.seek(0, 2)
        self._file.seek(0)

    def read(self, size: int) -> bytes:
        """Return up to ``size`` bytes, or ``b""`` at the end.

        Raises:
            MediaError: the file system failed.
        """
        try:
            return self._file.read(size)
        except OSError as error:
            raise MediaError("image-unreadable", f"{self.name} cannot be read to its end", reason=error.strerror or "") from error

    def whole(self) -> Path:
        """Return the path itself."""
        return self._path

    def close(self) -> None:
        """Give the file back."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
