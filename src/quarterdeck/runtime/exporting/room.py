"""Where the copy of a running machine's disks has room: beside the target, else with the machine."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from quarterdeck.core.report import Reporter
from quarterdeck.media.disk.convert import needed_bytes
from quarterdeck.media.disk.kinds import KINDS, Options
from quarterdeck.media.disk.source import chain_files
from quarterdeck.media.disk.tool import file_name
from quarterdeck.media.disk.workplace import Workplace, workplace
from quarterdeck.media.export.export import Form
from quarterdeck.runtime.exporting.sources import image_tree
from quarterdeck.runtime.storage.disks import MachineDisk
from quarterdeck.runtime.storage.subject import Subject

_TABLES = 4096
"""A qcow2 file's tables take less than one in so many bytes of the disk: 8 and 2 bytes for each cluster of 64 KiB."""
_HEADER = 1 << 20


@dataclass(frozen=True)
class Need:
    """Bytes that the copy takes at most, and then what is made of it: of one ``beside`` the target, which may become it, or ``elsewhere``.

    What is made is 0 where nobody knows it before, as for compressed disks.
    """

    copy: int
    beside: int
    elsewhere: int


async def measure(subject: Subject, disks: Sequence[MachineDisk], form: Form) -> Need:
    """Return how much an export of ``disks`` to ``form`` takes while the machine runs. Raises: as :func:`read_details`."""
    sizes = [(await subject.hand.look(disk)).virtual_size for disk in disks]
    copies = [await _most(disk, size) for disk, size in zip(disks, sizes, strict=True)]
    made, moved = _results(form, sum(copies), sum(sizes))
    return Need(sum(copies), moved, made)


@contextmanager
def place_for_copy(need: Need, beside: Workplace, subject: Subject, report: Reporter) -> Iterator[Workplace]:
    """Yield ``beside``, the workplace of the target, when both have room there; else one in the machine's folder.

    Raises:
        HostError: neither has room.
    """
    home = subject.layout.root
    if beside.room() >= need.copy + need.beside or not _apart(home, beside.folder):
        beside.check_room(need.copy + need.beside)
        yield beside
        return
    beside.check_room(need.elsewhere)
    with workplace(home / "export", report) as place:
        place.check_room(need.copy)
        yield place


def _apart(one: Path, other: Path) -> bool:
    """Whether they lie on different file systems."""
    return os.stat(one).st_dev != os.stat(other).st_dev


def _results(form: Form, copy: int, virtual: int) -> tuple[int, int]:
    """Return what is made of a copy, and what is made besides of one that may be moved."""
    options = form.options
    if form.holds_all or form.compress:
        return 0, 0
    if options is None:
        return 2 * copy, copy  # the disk, and the archive with it
    if options == Options(kind=KINDS[0]):
        return copy, 0
    made = virtual if options.preallocation in ("falloc", "full") else copy
    return made, made


async def _most(disk: MachineDisk, virtual: int) -> int:
    """At most what a copy takes: what was written to the disk, and what it shows of that it stands on."""
    tables = virtual // _TABLES + _HEADER
    files = chain_files(disk.path) if disk.in_place else (disk.path,)
    states = [os.stat(path) for path in files]
    if any(stat.S_ISBLK(state.st_mode) for state in states):
        return virtual + tables
    own = sum(state.st_blocks * 512 for state in states)
    below = (
        0 if disk.backing is None else await needed_bytes(file_name(image_tree(disk.backing)), Options(kind=KINDS[0]), disk.backing.path)
    )
    return min(virtual, own + below) + tables
