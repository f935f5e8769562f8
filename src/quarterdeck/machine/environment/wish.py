"""What the variables of a container come to."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from quarterdeck.machine.spec import MachineSpec

DEFAULT_TIMEOUT = 110
"""Seconds that a guest gets to stop: what Compose files with the usual two minutes of grace leave, less ten for ourselves."""


class OnPoweroff(StrEnum):
    """What becomes of the container when the guest powers itself off: ``exit`` ends it with 0, ``stop`` keeps it with the viewer."""

    EXIT = "exit"
    STOP = "stop"


@dataclass(frozen=True)
class Note:
    """Something that a variable or a file does not do, or does differently; ``instead`` says what to use, or is empty."""

    variable: str
    text: str
    instead: str = ""

    def __str__(self) -> str:
        return f"{self.variable}: {self.text}" + (f"; {self.instead}" if self.instead else "")


@dataclass(frozen=True, kw_only=True, repr=False)
class ViewerSecrets:
    """What was given in words, to be kept as hashes and never shown; None was not given. Files that hold such are in the spec."""

    password: str | None = None
    token: str | None = None
    view_token: str | None = None


@dataclass(frozen=True, kw_only=True)
class ContainerOptions:
    """What concerns the container, not the machine.

    Args:
        timeout: seconds until a guest that does not stop loses its power; 0: at once.
        on_poweroff: what a guest's own power-off means.
        debug: show the resolved machine and the whole command at start.
        reset_firmware: forget the machine's UEFI variables once, before this start.
        secrets: what lets in at the viewer.
    """

    timeout: int = DEFAULT_TIMEOUT
    on_poweroff: OnPoweroff = OnPoweroff.EXIT
    debug: bool = False
    reset_firmware: bool = False
    secrets: ViewerSecrets = field(default_factory=ViewerSecrets)


@dataclass(frozen=True, kw_only=True)
class DiskFile:
    """A disk file that must be there, with at least ``size`` bytes, before the machine is resolved, which uses it in place.

    ``format`` is qcow2 or raw; ``options`` are qemu-img's for a new file, each ``KEY=VALUE``.
    """

    path: str
    size: int
    format: str
    preallocate: bool = False
    options: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ContainerWish:
    """A container's machine: its spec (with a name), options, disk files to make or grow first, and what is to be said."""

    spec: MachineSpec
    options: ContainerOptions
    files: tuple[DiskFile, ...] = ()
    notes: tuple[Note, ...] = ()
