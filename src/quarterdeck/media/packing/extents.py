"""Disks in several files: a VMDK descriptor and the extents that it names, wherever they stand in the archive."""

from __future__ import annotations

import re
from pathlib import Path

from quarterdeck.errors import MediaError
from quarterdeck.media.formats import ImageFormat
from quarterdeck.media.packing.contents import Content, Piece
from quarterdeck.media.packing.failures import shown
from quarterdeck.media.packing.limits import Budget
from quarterdeck.media.packing.settle import Settled
from quarterdeck.media.packing.sparse import spill
from quarterdeck.media.packing.window import Window
from quarterdeck.media.references import read_references

_FLAT = re.compile(r"-(flat|f\d{3})\.vmdk$", re.IGNORECASE)


def looks_like_flat(label: str) -> bool:
    """Whether a member has the name of a flat extent: its content is any part of a disk, so only the name can tell."""
    return bool(_FLAT.search(label))


class ExtentGroup:
    """The descriptors and extents of one archive, stored below ``folder`` under our own names until it is known what belongs together."""

    def __init__(self, folder: Path, budget: Budget) -> None:
        self._folder = folder / ".extents"
        self._budget = budget
        self._descriptors: dict[str, Path] = {}
        self._extents: dict[str, Path] = {}

    @property
    def descriptors(self) -> tuple[str, ...]:
        """The labels of the descriptors."""
        return tuple(self._descriptors)

    def add(self, label: str, content: Content, window: Window) -> None:
        """Store a descriptor or extent.

        Raises:
            MediaError: it is damaged or too large.
            HostError: it cannot be stored.
        """
        self._folder.mkdir(exist_ok=True)
        path = self._folder / str(len(self._descriptors) + len(self._extents))
        kept = self._descriptors if content is Piece.DESCRIPTOR else self._extents
        kept[label] = spill(window, path, self._budget)

    def loose(self) -> Settled | None:
        """Return the only extent that came without any descriptor: it is a disk by itself."""
        if self._descriptors or len(self._extents) != 1:
            return None
        label, path = next(iter(self._extents.items()))
        return Settled(path, label, (self._folder,))

    def assemble(self, label: str, archive: str) -> Settled:
        """Give the extents of the descriptor ``label`` the names that it knows them by, and return the disk.

        Raises:
            MediaError: an extent is missing, or its name is none of a file beside the descriptor.
        """
        descriptor = self._descriptors[label]
        beside = label.rpartition("/")[0]
        place = self._folder / "disk"
        place.mkdir()
        for name in dict.fromkeys(read_references(descriptor, ImageFormat.VMDK).all()):
            found = self._extents.get(f"{beside}/{name}".lstrip("/"))
            if found is None or "/" in name:
                raise MediaError(
                    "image-extent-missing",
                    f"the disk {shown(label)} in {shown(archive)} is not complete",
                    reason=f"it needs {shown(name)}, which is not beside it",
                    hint="pack all files of the disk together",
                )
            found.rename(place / name)
        target = place / ".descriptor.vmdk"
        descriptor.rename(target)
        return Settled(target, label, (self._folder,))
