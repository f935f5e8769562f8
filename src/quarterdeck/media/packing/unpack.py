"""From a packed file, or a download that still runs, to one image that a machine can use."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from quarterdeck.errors import HostError
from quarterdeck.media.formats import ImageFormat
from quarterdeck.media.packing.contents import HEAD_SIZE, Piece, recognise_content
from quarterdeck.media.packing.limits import Budget, Limits
from quarterdeck.media.packing.selection import Place, Selection
from quarterdeck.media.packing.settle import Settled, Watch, finish_image, unwatched
from quarterdeck.media.packing.source import ByteSource, FileSource
from quarterdeck.media.packing.store import readable_in_one_pass
from quarterdeck.media.packing.walk import Walker
from quarterdeck.media.packing.window import Window
from quarterdeck.media.packing.zip import NotStreamableError

Progress = Callable[[int, int], None]
"""Called now and then with the bytes read from the source and the bytes stored; what it raises ends the work."""


@dataclass(frozen=True)
class Unpacked:
    """An image in the folder that was given: ``qcow2``, ``raw`` or ``iso``. ``members`` are the paths of all members of all archives."""

    path: Path
    format: ImageFormat
    members: tuple[str, ...]


def unpack_image(
    source: ByteSource,
    folder: Path,
    *,
    limits: Limits | None = None,
    member: str | None = None,
    progress: Progress | None = None,
    converting: Watch = unwatched,
) -> Unpacked:
    """Find the one image in ``source``, however it is packed, and store it in ``folder``, which exists; for a thread, since it blocks.

    The source is read once from front to back where its formats allow, else :meth:`ByteSource.whole` is asked for. Sparse: zeros take
    no space. Formats other than qcow2, raw and iso become raw when one pass can do it, else qcow2. ``member`` names a member: its path
    in the archive (inner archives are folders of it), its last part, or an archive inside. ``converting`` watches
    qemu-img where that makes the qcow2. After an error nothing is left in ``folder``.

    Raises:
        MediaError: damaged, cut off, refused as hostile, ambiguous, without an image, or too large.
        HostError: no space, or a program is not installed.
        QuarterdeckError: what the source, ``progress`` and ``converting`` raise.
    """
    budget = Budget(limits or Limits(), source.name)
    try:
        work = Path(tempfile.mkdtemp(dir=folder, prefix=".unpacking-"))
    except OSError as error:
        raise HostError("not-writable", f"{folder} cannot be written", reason=error.strerror or "") from error
    try:
        stored, members = _walk(source, work, member=member, budget=budget, progress=progress)
        path, kind = finish_image(stored, work, budget, watch=converting)
        target = folder / path.name
        path.rename(target)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return Unpacked(target, kind, members)


def _walk(
    source: ByteSource, work: Path, *, member: str | None, budget: Budget, progress: Progress | None
) -> tuple[Settled, tuple[str, ...]]:
    try:
        return _pass(source, work, member=member, budget=budget, progress=progress)
    except NotStreamableError:
        # Read again, now that all of it is here; what the first try stored is of no use.
        shutil.rmtree(work)
        work.mkdir(mode=0o700)
        with FileSource(source.whole()) as again:
            again.name = source.name
            return _pass(again, work, member=member, budget=budget, progress=progress, streamed=False)


def _pass(
    source: ByteSource, work: Path, *, member: str | None, budget: Budget, progress: Progress | None, streamed: bool = True
) -> tuple[Settled, tuple[str, ...]]:
    selection = Selection(work, budget, member)
    window = Window(_Input(source, budget, progress), source.name)
    content = recognise_content(window.peek(HEAD_SIZE))
    if isinstance(content, ImageFormat) and member is None and not readable_in_one_pass(window, content):
        # qemu-img reads the file where it lies: a second copy would only cost space.
        return Settled(source.whole(), source.name), ()
    if content is Piece.DESCRIPTOR and isinstance(source, FileSource):
        return Settled(source.whole(), source.name), ()  # its extents are beside it
    Walker(source, selection, work, budget=budget, streamed=streamed).walk(window, Place(source.name))
    return selection.result(source.name), tuple(selection.members)


class _Input:
    """The source, counted."""

    def __init__(self, source: ByteSource, budget: Budget, progress: Progress | None) -> None:
        self._source = source
        self._budget = budget
        self._progress = progress

    def read(self, size: int) -> bytes:
        """Return up to ``size`` bytes."""
        data = self._source.read(size)
        self._budget.take(len(data))
        if self._progress is not None:
            self._progress(self._budget.packed, self._budget.stored)
        return data
