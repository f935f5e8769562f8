"""Every entry asked of its publisher, or of a mirror: which still lead to a file, and which broke."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from quarterdeck.core.arch import find_arch
from quarterdeck.errors import MediaError, QuarterdeckError
from quarterdeck.media.catalogue.model import Entry, Image, Kind
from quarterdeck.media.catalogue.pages import Pages
from quarterdeck.media.catalogue.resolve import ResolvedEntry, Trust, resolve_entry


@dataclass(frozen=True)
class Checked:
    """What became of one image of an entry for one architecture. ``size`` is what the server says, in bytes."""

    entry: Entry
    kind: Kind
    arch: str
    resolved: ResolvedEntry | None = None
    size: int | None = None
    error: QuarterdeckError | None = None

    @property
    def good(self) -> bool:
        """Whether it leads to a file that can be verified."""
        return self.error is None


async def check_entries(entries: Sequence[Entry], pages: Pages, *, arch: str | None = None) -> list[Checked]:
    """Return what became of each image of ``entries``, for one architecture (our name) or all; nothing is downloaded."""
    wanted = [(entry, image, name) for entry in entries for image in entry.images for name in image.arches if arch in (None, name)]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_check(entry, image, arch=name, pages=pages)) for entry, image, name in wanted]
    return [task.result() for task in tasks]


async def _check(entry: Entry, image: Image, *, arch: str, pages: Pages) -> Checked:
    kind = image.kind or entry.kind
    resolved = None
    try:
        resolved = await resolve_entry(entry, arch=find_arch(arch), pages=pages, kind=kind)
        size = await pages.look(_publisher(resolved, pages))
        _agree(resolved, size)
    except QuarterdeckError as error:
        return Checked(entry, kind, arch, resolved, error=error)
    return Checked(entry, kind, arch, resolved, size)


def _publisher(resolved: ResolvedEntry, pages: Pages) -> str:
    return pages.original(resolved.url)


def _agree(resolved: ResolvedEntry, size: int | None) -> None:
    if resolved.trust is Trust.NONE:
        raise MediaError("unverifiable", f"{resolved.entry.name}: nothing proves that the file is the right one", reason=resolved.url)
    if size is not None and resolved.wanted.size not in (None, size):
        reason = f"{resolved.url} has {size} bytes, the publisher's page says {resolved.wanted.size}"
        raise MediaError("size-wrong", f"{resolved.entry.name}: the file has another size", reason=reason)
