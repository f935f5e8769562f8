"""A machine as far as others need to know it."""

from __future__ import annotations

from dataclasses import dataclass

from quarterdeck.core.arch import Arch
from quarterdeck.media.disk.source import Source

NumberedDisks = tuple[tuple[int, Source], ...]
"""Disks by their numbers."""


@dataclass(frozen=True, kw_only=True)
class Appliance:
    """A machine whose disks nobody writes.

    ``memory`` in bytes, ``uefi`` when its firmware is UEFI, ``cards`` network cards, and its disks.
    """

    name: str
    arch: Arch
    cpus: int
    memory: int
    uefi: bool
    cards: int
    disks: NumberedDisks
