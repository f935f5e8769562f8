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


class Tls(StrEnum):
    """How the viewer speaks HTTPS."""

    OFF = "off"
    GENERATED = "generated"
    FILES = "files"


@dataclass(frozen=True)
class Note:
    """Something that a variable or a file does not do, or does differently; ``instead`` says what to use, or is empty."""

    variable: str
    text: str
    instead: str = ""

    def __str__(self) -> str:
        return f"{self.variable}: {self.text}" + (f"; {self.instead}" if self.instead else "")


@dataclass(frozen=True, kw_only=True)
class ViewerAccess:
    """Who may use the viewer. Files are absolute paths; a password in text is None when it was not given, and never shown."""

    username: str = ""
    password: str | None = field(default=None, repr=False)
    password_file: str | None = None
    token_file: str | None = None
    view_token_file: str | None = None
    open: bool = False
    """Nobody has to log in: said by an explicit word only."""
    tls: Tls = Tls.OFF
    certificate: str | None = None
    key: str | None = None


@dataclass(frozen=True, kw_only=True)
class ContainerOptions:
    """What concerns the container, not the machine.

    Args:
        timeout: seconds until a guest that does not stop loses its power; 0: at once.
        on_poweroff: what a guest's own power-off means.
        debug: show the resolved machine and the whole command at start.
        reset_firmware: forget the machine's UEFI variables once, before this start.
        viewer: who may use the viewer.
    """

    timeout: int = DEFAULT_TIMEOUT
    on_poweroff: OnPoweroff = OnPoweroff.EXIT
    debug: bool = False
    reset_firmware: bool = False
    viewer: ViewerAccess = field(default_factory=ViewerAccess)


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
