"""``qd disk info``: what a disk file is."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from quarterdeck.cli.disk.options import File
from quarterdeck.cli.options import Json
from quarterdeck.cli.output import print_json
from quarterdeck.cli.table import print_folded
from quarterdeck.core.size import format_size

if TYPE_CHECKING:
    from quarterdeck.media.bootable import Bootable
    from quarterdeck.media.disk.inspect import Inspection


def info(file: File, json: Json = False) -> None:
    """Show what a disk file is: format, sizes, what it stands on, snapshots, encryption, partitions, and what can boot from it.

    Nothing is written, and a machine may be using it. Files elsewhere that it names are shown, and never opened.
    """
    from quarterdeck.media.disk.inspect import inspect

    found = asyncio.run(inspect(file))
    if json:
        print_json(found.to_json())
    else:
        print_folded(_rows(found))


def _rows(found: Inspection) -> list[tuple[str, str]]:
    details = found.details
    rows = [
        ("file", str(found.path)),
        ("format", f"{found.format.value}{f' ({details.variant})' if details.variant else ''}"),
        ("size", f"{format_size(details.virtual_size)} ({details.virtual_size} bytes)"),
        ("on this host", f"{format_size(details.actual_size)} of a file of {format_size(found.file_size)}"),
        ("clusters", format_size(details.cluster_size) if details.cluster_size else ""),
        ("in use", "yes: another program has it open for writing" if found.in_use else ""),
        ("stands on", "; ".join(f"{link.name} ({link.format})" for link in found.chain)),
        ("snapshots", ", ".join(details.snapshots)),
        ("dirty bitmaps", ", ".join(details.bitmaps)),
        ("encryption", details.encryption),
        ("damaged", "yes: QEMU marked it as corrupt" if details.corrupt else ""),
        ("boots under", _boots(found.bootable)),
        ("not looked into", found.closed),
    ]
    return [row for row in rows if row[1]] + _partitions(found)


def _partitions(found: Inspection) -> list[tuple[str, str]]:
    table = found.table
    if table is None:
        return []
    rows = [("partitions", f"{table.scheme}{f': {table.flaw}' if table.flaw else ''}")]
    for one in table.partitions:
        name = f", {one.name}" if one.name else ""
        rows.append((f"  {one.number}", f"{format_size(one.size)} at {format_size(one.start)}: {one.type}{name}"))
    return rows


def _boots(bootable: Bootable) -> str:
    ways = [name for name, able in (("UEFI", bootable.uefi), ("BIOS", bootable.bios)) if able]
    return ", ".join(ways) or ("nothing that is to be seen" if bootable.uefi is False else "")
