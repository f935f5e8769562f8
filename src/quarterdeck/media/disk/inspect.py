"""All that can be told of a disk without writing to it, also while a machine uses it."""

from __future__ import annotations

import asyncio
import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quarterdeck.errors import MediaError
from quarterdeck.media.bootable import Bootable, disc_bootable, disk_bootable
from quarterdeck.media.disk.content import read_start
from quarterdeck.media.disk.details import Details, read_details
from quarterdeck.media.disk.partitions import PartitionTable, read_table
from quarterdeck.media.disk.source import open_tree
from quarterdeck.media.disk.tool import Tree, check_idle
from quarterdeck.media.disk.unpacked import packing_of
from quarterdeck.media.formats import ImageFormat, detect_format
from quarterdeck.media.references import check_references, read_references

_CHAIN_MAX = 32


@dataclass(frozen=True)
class Link:
    """One image that another stands on: its name as that one has it, and its format or why it is not known."""

    name: str
    format: str


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """A disk: absolute path, format, size of the file in bytes, and what is in it.

    ``chain`` is what it stands on, nearest first. ``closed`` says why its content was not looked at, empty when it was.
    """

    path: Path
    format: ImageFormat
    file_size: int
    in_use: bool
    details: Details
    chain: tuple[Link, ...]
    closed: str
    bootable: Bootable
    table: PartitionTable | None

    def to_json(self) -> dict[str, Any]:
        """Return the object that ``--json`` prints."""
        return {
            "path": str(self.path),
            "format": self.format.value,
            **dataclasses.asdict(self.details),
            "file_size": self.file_size,
            "in_use": self.in_use,
            "chain": [dataclasses.asdict(link) for link in self.chain],
            "closed": self.closed,
            "bootable": dataclasses.asdict(self.bootable),
            "partition_table": None if self.table is None else self.table.to_json(),
        }


async def inspect(path: Path) -> Inspection:
    """Return what the disk at ``path`` is. Files outside its folder that it names are told, and never opened.

    Raises:
        MediaError: it cannot be read, is packed, or keeps its data in a file elsewhere.
        HostError: qemu-img is not installed.
    """
    image, kind, closed = await asyncio.to_thread(_look, path)
    tree = open_tree(image, kind.driver)
    details = await read_details(tree, str(path))
    closed = closed or ("it is encrypted" if details.encryption else "")
    head = b"" if closed else await read_start(tree, str(path))
    return Inspection(
        path=image,
        format=kind,
        file_size=image.stat().st_size,
        in_use=await _in_use(tree),
        details=details,
        chain=await asyncio.to_thread(_chain, image, kind),
        closed=closed,
        bootable=disc_bootable(head) if kind is ImageFormat.ISO and head else disk_bootable(head),
        table=read_table(head, details.virtual_size),
    )


def _look(path: Path) -> tuple[Path, ImageFormat, str]:
    packing = packing_of(path)
    if packing:
        hint = "'qd disk convert' unpacks it, and 'qd run' boots it as it is"
        raise MediaError("image-compressed", f"{path} is packed ({packing})", hint=hint)
    image = path.resolve()
    kind = detect_format(image)
    try:
        check_references(image, kind)
    except MediaError as error:
        if read_references(image, kind).data:
            raise
        return image, kind, error.message
    return image, kind, ""


def _chain(image: Path, kind: ImageFormat) -> tuple[Link, ...]:
    links: list[Link] = []
    while (name := read_references(image, kind).backing) and len(links) < _CHAIN_MAX:
        image = image.parent / name
        try:
            kind = detect_format(image)
        except MediaError as error:
            links.append(Link(name, error.key))
            break
        links.append(Link(name, kind.value))
    return tuple(links)


async def _in_use(tree: Tree) -> bool:
    """Whether somebody has it open for writing."""
    if "backing" not in tree and tree["driver"] in ("qcow2", "qed"):
        tree = {**tree, "backing": None}
    try:
        await check_idle(tree, what="")
    except MediaError as error:
        return error.key == "image-in-use"
    return False
