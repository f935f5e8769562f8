"""What lies in a container's folders, as values: the listing itself is made elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class FileKind(StrEnum):
    """What a name in a folder stands for."""

    FILE = "file"
    FOLDER = "folder"
    BLOCK = "block"
    OTHER = "other"


@dataclass(frozen=True, kw_only=True)
class FoundFile:
    """One file.

    ``format`` is QEMU's name for it (``iso`` for a disc), empty when nobody looked; ``size`` is in bytes, for a disk as the guest sees it.
    ``blank`` says that its first part holds nothing but zeros; ``uefi`` and ``bios`` whether it boots that way (None: unknown).
    """

    path: str
    kind: FileKind = FileKind.FILE
    size: int = 0
    format: str = ""
    blank: bool = False
    uefi: bool | None = None
    bios: bool | None = None

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]


@dataclass(frozen=True, kw_only=True)
class Found:
    """A container as :func:`quarterdeck.runtime.container.found.find` saw it.

    Args:
        arch: this host's architecture, as :mod:`quarterdeck.core.arch` calls it.
        root: the folder that stands for ``/``.
        files: everything of interest, by path.
        free: folders with their free bytes.
        texts: paths with the contents of small text files: the spec and kept addresses.
        lowest_port: the first port that a program without rights may listen on, 0 to 65535.
    """

    arch: str
    root: str = "/"
    files: tuple[FoundFile, ...] = ()
    free: tuple[tuple[str, int], ...] = ()
    texts: tuple[tuple[str, str], ...] = ()
    lowest_port: int = 1024

    def at(self, path: str) -> FoundFile | None:
        """Return what lies at the absolute ``path`` of the container."""
        wanted = self.real(path)
        return next((file for file in self.files if file.path == wanted), None)

    def real(self, path: str) -> str:
        """Return where the absolute ``path`` of the container lies."""
        return path if self.root == "/" else f"{self.root}{path}"

    def inside(self, folder: str) -> tuple[FoundFile, ...]:
        """Return everything of interest directly in ``folder``, by name."""
        start = f"{self.real(folder).rstrip('/')}/"
        inner = (file for file in self.files if file.path.startswith(start) and "/" not in file.path[len(start) :])
        return tuple(sorted(inner, key=lambda file: file.name))

    def text(self, path: str) -> str | None:
        """Return the contents of the small file at ``path``."""
        return dict(self.texts).get(self.real(path))

    def room(self, folder: str) -> int | None:
        """Return the free bytes in ``folder``; None when unknown."""
        return dict(self.free).get(self.real(folder))
