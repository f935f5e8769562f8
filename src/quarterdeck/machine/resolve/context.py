"""What every decision looks at, and the list that decisions are written to."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

from quarterdeck.core.arch import Arch
from quarterdeck.host.facts import HostFacts
from quarterdeck.machine.assets import LocalAssets
from quarterdeck.machine.boards import Board
from quarterdeck.machine.layout import MachineLayout
from quarterdeck.machine.resolved import Choice
from quarterdeck.machine.spec import MachineSpec

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:quarterdeck:machine")


@dataclass(frozen=True)
class Context:
    """One resolution in progress."""

    spec: MachineSpec
    facts: HostFacts
    assets: LocalAssets
    layout: MachineLayout
    arch: Arch
    board: Board
    machine_type: str
    name: str
    choices: list[Choice] = field(default_factory=list)

    @property
    def uuid(self) -> str:
        """The machine's UUID: the spec's, else the same name always gives the same one, so that guests recognise their hardware."""
        return self.spec.uuid or str(uuid.uuid5(_NAMESPACE, self.name))

    def note(self, what: str, value: str, why: str) -> None:
        """Record a decision for ``qd explain``."""
        self.choices.append(Choice(what, value, why))

    def has(self, device: str) -> bool:
        """Whether this QEMU has the device model; true when nobody asked it."""
        return not self.facts.qemu.devices or device in self.facts.qemu.devices

    def virtio(self, kind: str) -> str:
        """Return the name of virtio device ``kind`` on this machine, such as ``virtio-blk-pci``."""
        return f"{kind}-{self.board.transport.value}"
