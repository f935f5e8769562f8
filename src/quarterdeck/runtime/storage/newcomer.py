"""A machine that is made of another one's disks: published whole, with everything that its first start would have made."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from quarterdeck.errors import QuarterdeckError
from quarterdeck.machine.assets import LocalAssets
from quarterdeck.machine.layout import MachineLayout
from quarterdeck.machine.ports import format_port, overlaps, parse_port
from quarterdeck.machine.spec import MachineSpec
from quarterdeck.runtime import assets, secrets
from quarterdeck.runtime.storage import besides, image
from quarterdeck.runtime.storage.disks import planned_disks
from quarterdeck.runtime.store import MachineStore


def publish(
    store: MachineStore,
    spec: MachineSpec,
    found: LocalAssets,
    *,
    variables: Path,
    tpm: bool = False,
    hidden: Mapping[str, Any] | None = None,
) -> MachineLayout:
    """Store the machine; ``variables`` is a folder with its UEFI variables, and with ``tpm`` the state of its TPM; ``hidden`` are secrets.

    Raises:
        UsageError: the name is taken.
        HostError: the folder cannot be written.
    """

    def fill(layout: MachineLayout) -> None:
        layout.vm.mkdir(mode=0o700)
        assets.pin(layout, found)
        _make_overlays(layout, spec, found)
        besides.bring_back(layout, variables, None, tpm=tpm)
        if hidden:
            secrets.update(layout, **hidden)

    return store.publish(spec, fill)


def _make_overlays(layout: MachineLayout, spec: MachineSpec, found: LocalAssets) -> None:
    """Let the machine be grown, exported or copied before it was ever started."""
    for disk in planned_disks(layout, spec, found):
        if disk.backing is not None and not disk.in_place:
            image.create_at_once(disk.path, disk.backing.virtual_size, backing=(disk.backing.path, disk.backing.format))
            disk.path.chmod(0o600)


def clashes(store: MachineStore, spec: MachineSpec) -> list[str]:
    """Return in words which ports of the host that ``spec`` wants belong to other machines too: such two cannot run at the same time."""
    wanted = [parse_port(text) for card in spec.networks for text in card.ports]
    found: list[str] = []
    for name in store.names():
        if name == spec.name:
            continue
        try:
            other = store.spec(name)
        except QuarterdeckError:  # a damaged neighbour is its own problem
            continue
        theirs = [parse_port(text) for card in other.networks for text in card.ports]
        found += [f"port {format_port(port)} is also one of '{name}'" for port in wanted if any(overlaps(port, one) for one in theirs)]
        if spec.viewer.port and spec.viewer.port == other.viewer.port:
            found.append(f"viewer port {spec.viewer.port} is also that of '{name}'")
    return found
