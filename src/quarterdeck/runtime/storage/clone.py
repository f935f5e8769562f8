"""Clones: another machine with the same disks, linked to a shared layer or copied whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from quarterdeck.core.images import ImageFile
from quarterdeck.machine.layout import MachineLayout
from quarterdeck.machine.ports import parse_port
from quarterdeck.machine.spec import MachineSpec
from quarterdeck.runtime import assets
from quarterdeck.runtime.storage import derive, layers, newcomer, seal, still
from quarterdeck.runtime.storage.subject import Subject
from quarterdeck.runtime.store import MachineStore, unwritable


async def linked(subject: Subject, store: MachineStore, name: str, *, ports: Sequence[str] | None = None) -> MachineLayout:
    """Make machine ``name`` on a layer that it shares with the original; both keep only what they change from now on.

    Raises:
        UsageError: the name is taken, or the machine runs, has snapshots or disks that cannot be shared.
    """
    store.check_free(name)
    spec = _spec(subject, name, ports)
    try:
        with layers.making(subject.layout.layers):  # keeps the sweeper from what no machine names yet
            bases = await seal.seal(subject)
            return _publish(subject, store, spec, bases, variables=subject.layout.vm)
    except OSError as error:
        raise unwritable(error) from error


async def full(subject: Subject, store: MachineStore, name: str, *, ports: Sequence[str] | None = None) -> MachineLayout:
    """Make machine ``name`` with disks of its own; the original may run meanwhile.

    Raises:
        UsageError: the name is taken.
        HostError: there is no space.
    """
    store.check_free(name)
    spec = _spec(subject, name, ports)
    try:
        with layers.making(subject.layout.layers) as fresh:
            layer = layers.final(fresh)
            copies, _ = await still.take(subject, fresh, subject.disks, step="clone")
            layers.publish(fresh)
            bases = {copy.disk.index: ImageFile(str(layer / copy.target.name), "qcow2", copy.virtual_size) for copy in copies}
            return _publish(subject, store, spec, bases, variables=layer)
    except OSError as error:
        raise unwritable(error) from error


def _publish(subject: Subject, store: MachineStore, spec: MachineSpec, bases: dict[int, ImageFile], *, variables: Path) -> MachineLayout:
    found = assets.pinned(subject.layout)
    assert found is not None
    made, pinned = derive.on_bases(spec, found, bases)
    return newcomer.publish(store, made, pinned, variables=variables)


def _spec(subject: Subject, name: str, ports: Sequence[str] | None) -> MachineSpec:
    spec = derive.renamed(subject.spec, name)
    if ports is None or not spec.networks:
        return spec
    for text in ports:
        parse_port(text)
    first = replace(spec.networks[0], ports=tuple(ports))
    return replace(spec, networks=(first, *(replace(card, ports=()) for card in spec.networks[1:])))
