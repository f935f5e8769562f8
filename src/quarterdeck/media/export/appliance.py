"""A machine as far as others need to know it."""

from __future__ import annotations

from dataclasses import dataclass

from quarterdeck.core.arch import Arch
from quarterdeck.media.disk.source import Source


@dataclass(frozen=True, kw_only=True)
class Appliance:
    """A machine at rest: ``memory`` in bytes, ``uefi`` when its firmware is UEFI, ``cards`` network cards, and its disks by number."""

    name: str
    arch: Arch
    cpus: int
    memory: int
    uefi: bool
    cards: int
    disks: tuple[tuple[int, Source], ...]
