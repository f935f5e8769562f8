"""The machine that an operation is about, at rest or running."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from quarterdeck.core.process import Identity
from quarterdeck.core.report import Level, Message, Reporter
from quarterdeck.guest.qga import GuestAgent
from quarterdeck.machine.layout import MachineLayout
from quarterdeck.machine.spec import MachineSpec
from quarterdeck.runtime.instance import Instance
from quarterdeck.runtime.storage.disks import MachineDisk, machine_disks, owner
from quarterdeck.runtime.storage.hand import AtRest, Hand, Running
from quarterdeck.runtime.store import read_spec


@dataclass(frozen=True)
class Live:
    """A running machine: its QEMU, and the guest agent when it answers."""

    instance: Instance
    agent: GuestAgent | None


@dataclass(frozen=True, kw_only=True)
class Subject:
    """One machine with its disks. ``live`` is None when no QEMU has them open; whoever holds the machine's lock sees to it."""

    layout: MachineLayout
    spec: MachineSpec
    disks: tuple[MachineDisk, ...]
    identity: Identity | None
    live: Live | None
    report: Reporter

    @classmethod
    def of(cls, layout: MachineLayout, report: Reporter, live: Live | None = None) -> Self:
        """Look at a machine. Raises: as :func:`machine_disks`."""
        spec = read_spec(layout)
        return cls(layout=layout, spec=spec, disks=machine_disks(layout, spec), identity=owner(layout), live=live, report=report)

    @property
    def name(self) -> str:
        """The machine's name."""
        return self.layout.root.name

    @property
    def hand(self) -> Hand:
        """What reaches into the disks."""
        return AtRest(self.identity) if self.live is None else Running(self.live.instance.qmp)

    def tell(self, text: str, level: Level = Level.INFO) -> None:
        """Say something to people."""
        self.report(Message(level, text))
