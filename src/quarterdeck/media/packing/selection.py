"""Which member of an archive is the image: chosen by what the members are, while they pass by."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from quarterdeck.errors import MediaError
from quarterdeck.media.formats import ImageFormat
from quarterdeck.media.packing.contents import Content, Piece
from quarterdeck.media.packing.extents import ExtentGroup, looks_like_flat
from quarterdeck.media.packing.failures import shown
from quarterdeck.media.packing.limits import Budget
from quarterdeck.media.packing.settle import Settled
from quarterdeck.media.packing.store import store_image
from quarterdeck.media.packing.window import Window

_SMALLEST_BLOB = 1 << 20
"""Bytes; smaller ones without a known beginning are no disks."""
_SECTOR = 512
_LISTED = 20


@dataclass(frozen=True)
class Place:
    """Where a stream was found: ``name`` for error messages, ``label`` is the path inside the archives, empty outside of all."""

    name: str
    label: str = ""
    depth: int = 0

    @property
    def archived(self) -> bool:
        """Whether it is a member of an archive."""
        return bool(self.label)


@dataclass(frozen=True)
class _Candidate:
    label: str
    certain: bool
    settled: Settled


@dataclass
class Selection:
    """Stores the first image that passes in ``folder`` and remembers all others; ``member`` is the one that the user named."""

    folder: Path
    budget: Budget
    member: str | None = None
    members: list[str] = field(default_factory=list)
    _best: _Candidate | None = None
    _rivals: list[str] = field(default_factory=list)
    _last: tuple[Place, Content] | None = None
    _count: int = 0

    def __post_init__(self) -> None:
        self._group = ExtentGroup(self.folder, self.budget)

    def offer(self, place: Place, content: Content, window: Window) -> None:
        """Take the stream if it may be the image, else only notice it; what is left of it is not read.

        Raises:
            MediaError: it is damaged or too large.
            HostError: it cannot be stored.
        """
        self._last = (place, content)
        if self.member is not None and not self._is_named(place):
            if content in (Piece.EXTENT, Piece.DESCRIPTOR) or looks_like_flat(place.label):
                self._group.add(place.label, content, window)
            return
        if content is Piece.DESCRIPTOR or (place.archived and (content is Piece.EXTENT or looks_like_flat(place.label))):
            self._group.add(place.label or place.name, content, window)
        elif isinstance(content, ImageFormat) or content is Piece.EXTENT or self._is_forced(place):
            self._take(place, content, window)
        elif content is Piece.BLOB:
            self._take_blob(place, content, window)

    def result(self, archive: str) -> Settled:
        """Return the chosen image.

        Raises:
            MediaError: there is none, or more than one.
        """
        split = [label for label in self._group.descriptors if self.member is None or _names(self.member, label)]
        if split and self._best is not None and not self._best.certain:
            self._drop_best()
        labels = [*([self._best.label] if self._best else []), *self._rivals, *split]
        if len(labels) > 1:
            raise _ambiguous(archive, labels)
        if self._best is not None:
            return self._best.settled
        if split:
            return self._group.assemble(split[0], archive)
        if (loose := self._group.loose()) is not None:
            return loose
        raise self._nothing(archive)

    def _is_named(self, place: Place) -> bool:
        return self.member is None or _names(self.member, place.label)

    def _is_forced(self, place: Place) -> bool:
        """Whether the user named exactly this one: then it is an image, whatever it looks like."""
        return self.member is not None and place.archived and self.member.strip("/") in (place.label, place.label.rpartition("/")[2])

    def _take(self, place: Place, content: Content, window: Window) -> None:
        """Store an image, unless there is one already; mere bytes make room for it."""
        if self._best is not None and not self._best.certain:
            self._drop_best()
        if self._best is not None:
            self._rivals.append(place.label)
        else:
            self._best = self._store(place, content, window, certain=True)

    def _take_blob(self, place: Place, content: Content, window: Window) -> None:
        """Without a known beginning it is a disk only if its size is one, and nothing better is there."""
        if self._best is not None:
            window.drain()
            if not self._best.certain and _is_disk_size(window.position):
                self._rivals.append(place.label)
        else:
            stored = self._store(place, content, window, certain=not place.archived)
            if _is_disk_size(window.position):
                self._best = stored
            else:
                stored.settled.discard()

    def _store(self, place: Place, content: Content, window: Window, *, certain: bool) -> _Candidate:
        self._count += 1
        path = self.folder / f".image-{self._count}"
        return _Candidate(place.label, certain, store_image(window, content, path, budget=self.budget))

    def _drop_best(self) -> None:
        if self._best is not None:
            self._best.settled.discard()
        self._best, self._rivals = None, []

    def _nothing(self, archive: str) -> MediaError:
        if self.member is not None:
            return MediaError(
                "member-missing",
                f"{shown(archive)} has no member '{shown(self.member)}'",
                reason=_listing(self.members) if self.members else "it is no archive",
                hint="name one of its members, or leave it out",
            )
        if not self.members and self._last is not None:
            return _not_an_image(archive, self._last[1])
        reason = f"it holds {_listing(self.members)}" if self.members else "it is empty"
        return MediaError(
            "image-missing", f"there is no image in {shown(archive)}", reason=reason, hint="name another file, or a member of it"
        )


def _names(member: str, label: str) -> bool:
    """Whether ``member`` means ``label``: its whole path, its last part, or an archive that it lies in."""
    wanted = member.strip("/")
    return label == wanted or label.rpartition("/")[2] == wanted or label.startswith(f"{wanted}/")


def _is_disk_size(size: int) -> bool:
    return size >= _SMALLEST_BLOB and size % _SECTOR == 0


def _ambiguous(archive: str, labels: list[str]) -> MediaError:
    example = shown(labels[0])
    return MediaError(
        "archive-ambiguous",
        f"{shown(archive)} holds {len(labels)} images",
        reason=_listing(labels),
        hint=f"name the one that you want: '#{example}' behind the file or URL, or --member '{example}'",
    )


def _listing(labels: list[str]) -> str:
    more = f" and {len(labels) - _LISTED} more" if len(labels) > _LISTED else ""
    return ", ".join(shown(label) for label in labels[:_LISTED]) + more


def _not_an_image(archive: str, content: Content) -> MediaError:
    if content is Piece.EMPTY:
        return MediaError("image-empty", f"{shown(archive)} is empty", hint="was a download or a copy interrupted?")
    if content is Piece.BLOB:
        reason = "it begins like nothing that is known, and has no size that a disk would have"
        return MediaError("image-not-a-disk", f"{shown(archive)} is not a disk image", reason=reason, hint="is it damaged, or cut off?")
    hint = "an error page of the server, or a checksum file? look into it" if content is Piece.TEXT else "name a disk or ISO image"
    return MediaError("image-not-a-disk", f"{shown(archive)} is not a disk image", reason=f"it is a {content}", hint=hint)
