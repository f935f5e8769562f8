"""A machine made from a spec that is written anew at each start, as in a container: made once, then brought up to date."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path

from quarterdeck.core import fs
from quarterdeck.core.size import format_size
from quarterdeck.machine.layout import MachineLayout
from quarterdeck.machine.load import spec_to_json
from quarterdeck.machine.spec import DiskSpec, MachineSpec
from quarterdeck.runtime.anchor import anchor
from quarterdeck.runtime.store import MachineStore, lock_machine, read_spec, unwritable


@dataclass(frozen=True)
class Renewed:
    """Where the machine is, disks to grow before it starts (index to bytes), and what of the spec it does not follow."""

    layout: MachineLayout
    grows: tuple[tuple[int, int], ...] = ()
    notes: tuple[str, ...] = ()


def renew(store: MachineStore, spec: MachineSpec) -> Renewed:
    """Make the machine that ``spec`` describes, or let the one of its name follow it from now on. Its disks stay what they are.

    Raises:
        UsageError: it is in use, or its stored spec is damaged.
        HostError: its folder cannot be written.
    """
    name = store.name_of(spec)
    if not os.path.lexists(store.root / name):
        return Renewed(store.create(replace(spec, name=name)))
    layout = store.layout(name)
    lock = lock_machine(layout)
    try:
        stored, wished = read_spec(layout), replace(anchor(spec, Path.cwd()), name=name)
        merged = merge(stored, wished)
        try:
            fs.write_atomic(layout.spec, spec_to_json(merged).encode())
        except OSError as error:
            raise unwritable(error) from error
    finally:
        os.close(lock)
    return Renewed(layout, tuple(_grows(stored, wished)), tuple(_notes(stored, wished)))


def merge(stored: MachineSpec, wished: MachineSpec) -> MachineSpec:
    """Return ``wished`` with what a machine is made of once and for all taken from ``stored``: what boots, and what disks stand on."""
    pairs = zip(stored.disks, wished.disks, strict=False)
    kept = tuple(_disk(old, new) for old, new in pairs)
    return replace(wished, boot=stored.boot, fetch=stored.fetch, disks=(*kept, *wished.disks[len(kept) :]))


def _disk(old: DiskSpec, new: DiskSpec) -> DiskSpec:
    return replace(new, image=old.image, in_place=old.in_place, format=old.format, size=old.size)


def _grows(stored: MachineSpec, wished: MachineSpec) -> Iterator[tuple[int, int]]:
    for index, (old, new) in enumerate(zip(stored.disks, wished.disks, strict=False)):
        if new.size is not None and (old.size is None or new.size > old.size):
            yield index, new.size


def _notes(stored: MachineSpec, wished: MachineSpec) -> Iterator[str]:
    name = wished.name
    if stored.boot != wished.boot:
        yield f"'{name}' was made from {stored.boot or 'its disk'} and stays so; give the new one another name, or remove {name} first"
    for index, (old, new) in enumerate(zip_longest(stored.disks, wished.disks)):
        if new is None:
            yield f"disk {index} of '{name}' is not wished for any more: it is not attached, its file stays"
        elif old is not None and old.size and new.size and new.size < old.size:
            yield f"disk {index} of '{name}' has {format_size(old.size)} and never shrinks to {format_size(new.size)}"
