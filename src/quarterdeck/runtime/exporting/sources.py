"""The disks of a machine at rest as something to read, with all that they stand on."""

from __future__ import annotations

from pathlib import Path

from quarterdeck.core.images import ImageFile
from quarterdeck.core.report import Reporter
from quarterdeck.media.disk.source import Source, open_source, open_tree, source_of
from quarterdeck.media.disk.tool import Tree
from quarterdeck.media.disk.workplace import Workplace
from quarterdeck.runtime.storage.disks import MachineDisk


async def source(disk: MachineDisk, work: Workplace, report: Reporter) -> Source:
    """Return ``disk`` as what an export reads. Raises: MediaError when it cannot be read."""
    if disk.in_place:  # the user's own file, whatever that stands on
        return await open_source(disk.path, work, member=None, report=report)
    files = [disk.path, *(Path(image.path) for image in (disk.backing.chain() if disk.backing else ()))]
    return await source_of(_tree(disk), files, name=str(disk.path), report=report)


def image_tree(image: ImageFile) -> Tree:
    """Return how QEMU opens ``image`` and what it stands on."""
    tree = open_tree(Path(image.path), image.format)
    return tree if image.backing is None else {**tree, "backing": image_tree(image.backing)}


def _tree(disk: MachineDisk) -> Tree:
    """Names in the header of a disk that a guest could have written are not followed: its chain is given whole."""
    tree = open_tree(disk.path, disk.format)
    if disk.format == "qcow2":
        tree["backing"] = None if disk.backing is None else image_tree(disk.backing)
    return tree
