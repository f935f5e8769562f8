"""The one pass over everything: what is packed is opened, what lies in it is walked the same way, what may be the image is offered."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from pathlib import Path

from quarterdeck.media.packing.codecs import Codec, Unpacked
from quarterdeck.media.packing.contents import HEAD_SIZE, Archive, recognise_content
from quarterdeck.media.packing.entry import Entry, EntryKind, plain_name
from quarterdeck.media.packing.failures import shown, unsafe
from quarterdeck.media.packing.foreign import read_foreign
from quarterdeck.media.packing.limits import Budget
from quarterdeck.media.packing.ovf import Package
from quarterdeck.media.packing.selection import Place, Selection
from quarterdeck.media.packing.source import ByteSource
from quarterdeck.media.packing.sparse import spill
from quarterdeck.media.packing.tar import read_tar
from quarterdeck.media.packing.window import Window
from quarterdeck.media.packing.zip import read_zip


class Walker:
    """Walks ``source`` and offers what it finds to ``selection``; archives that need it are kept in ``folder`` meanwhile.

    ``streamed`` is false when a zip turned out to need all of itself: then its directory is read first.
    """

    def __init__(self, source: ByteSource, selection: Selection, folder: Path, *, budget: Budget, streamed: bool = True) -> None:
        self._source = source
        self._selection = selection
        self._folder = folder
        self._budget = budget
        self._streamed = streamed
        self._members = 0

    def walk(self, window: Window, place: Place, package: Package | None = None) -> None:
        """Take ``window`` to its end.

        Raises:
            MediaError: something in it is damaged, refused, or too large.
            HostError: it cannot be stored, or a program is missing.
        """
        content = recognise_content(window.peek(HEAD_SIZE))
        if package is not None:
            package.saw(content, window)
        if isinstance(content, Codec | Archive) and place.depth >= self._budget.limits.depth:
            raise unsafe(place.name, f"more than {self._budget.limits.depth} packings lie inside each other")
        if isinstance(content, Codec):
            inner = Window(Unpacked(window, content, self._budget), place.name)
            self.walk(inner, Place(place.name, place.label, place.depth + 1), package)
        elif isinstance(content, Archive):
            self._open(content, window, place)
            if not place.depth and self._is_foreign(content):
                return  # read by its path
        else:
            self._selection.offer(place, content, window)
        window.drain()

    def _open(self, kind: Archive, window: Window, place: Place) -> None:
        package = Package(place.name, self_checked=kind is not Archive.TAR)
        seen: set[str] = set()
        # Closed at once also after an error: a program may stand behind it.
        with contextlib.closing(self._entries(kind, window, place)) as entries:
            for entry in entries:
                self._count(place)
                name = plain_name(place.name, entry)
                if entry.kind is EntryKind.FOLDER:
                    continue
                if name in seen:
                    raise unsafe(place.name, f"two of its members are called '{shown(name)}'")
                seen.add(name)
                self._member(entry, name, place=place, package=package)
        package.check()

    def _member(self, entry: Entry, name: str, *, place: Place, package: Package) -> None:
        label = f"{place.label}/{name}" if place.label else name
        self._selection.members.append(label)
        reader = package.watch(name, entry.reader, entry.size)
        window = Window(reader, f"{place.name}: {shown(name)}")
        inner = Place(window.name, label, place.depth + 1)
        if package.is_disk(name) or self._selection.member is not None:
            self.walk(window, inner, package)
        else:
            package.saw(recognise_content(window.peek(HEAD_SIZE)), window)
            window.drain()
        package.done(name, reader)

    def _count(self, place: Place) -> None:
        self._members += 1
        if self._members > self._budget.limits.members:
            raise unsafe(place.name, f"it has more than {self._budget.limits.members} members")

    def _entries(self, kind: Archive, window: Window, place: Place) -> Generator[Entry]:
        if kind is Archive.TAR:
            yield from read_tar(window)
        elif not self._is_foreign(kind):
            yield from read_zip(window, self._budget)
        elif not place.depth:
            path = self._source.whole()
            self._budget.packed = path.stat().st_size
            yield from self._foreign(path, place)
        else:
            path = spill(window, self._folder / f".archive-{self._members}", self._budget)
            try:
                yield from self._foreign(path, place)
            finally:
                path.unlink(missing_ok=True)

    def _is_foreign(self, kind: Archive) -> bool:
        return kind in (Archive.SEVEN_ZIP, Archive.RAR) or (kind is Archive.ZIP and not self._streamed)

    def _foreign(self, path: Path, place: Place) -> Generator[Entry]:
        for entry in read_foreign(path, place.name, memory=self._budget.limits.memory):
            yield Entry(entry.name, entry.kind, _Counted(entry, self._budget), entry.size)


class _Counted:
    """What another program unpacked, counted like what we unpack."""

    def __init__(self, entry: Entry, budget: Budget) -> None:
        self._reader = entry.reader
        self._budget = budget

    def read(self, size: int) -> bytes:
        """Return up to ``size`` bytes."""
        data = self._reader.read(size)
        self._budget.give(len(data))
        return data
