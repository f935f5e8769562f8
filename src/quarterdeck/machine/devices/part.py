"""The pieces that a QEMU command is put together from."""

from __future__ import annotations

import os.path
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from quarterdeck.machine.layout import MachineLayout
from quarterdeck.machine.options import json_argument
from quarterdeck.machine.resolved import Descriptor, Sidecar

Options = dict[str, Any]


@dataclass(frozen=True)
class Part:
    """What one device adds: arguments, helpers that must run before QEMU, and sockets that QEMU listens on by role."""

    argv: tuple[str, ...] = ()
    sidecars: tuple[Sidecar, ...] = ()
    sockets: tuple[tuple[str, str], ...] = ()


NOTHING = Part()


def device(options: Options) -> tuple[str, str]:
    """Return ``-device`` with ``options`` as JSON."""
    return ("-device", json_argument(options))


def blockdev(options: Options) -> tuple[str, str]:
    """Return ``-blockdev`` with ``options`` as JSON."""
    return ("-blockdev", json_argument(options))


def joined(parts: Iterable[Part]) -> Part:
    """Return all parts as one, in their order."""
    found = list(parts)
    return Part(
        tuple(word for part in found for word in part.argv),
        tuple(sidecar for part in found for sidecar in part.sidecars),
        tuple(socket for part in found for socket in part.sockets),
    )


class Files:
    """Turns paths into what QEMU opens: the path, or a descriptor that the launcher hands over.

    When QEMU runs as a user of its own it may not open the user's files, so the launcher opens those that lie outside
    the machine's and the images' folders. Each path and access mode gets a set of its own, since QEMU takes a descriptor
    only for the mode that it was opened in (QEMU 7.2, ``monitor/fds.c``).
    """

    def __init__(self, layout: MachineLayout, *, hand_over: bool, descriptors: bool = True) -> None:
        self._own = (str(layout.vm), str(layout.images))
        self._hand_over = hand_over
        self._shows_descriptors = descriptors
        self._sets: dict[tuple[str, bool], int] = {}
        self._exclusive: set[int] = set()

    def name(self, path: str, *, writable: bool) -> str:
        """Return the file name to give to QEMU."""
        if not self._hand_over or any(os.path.commonpath([path, folder]) == folder for folder in self._own):
            return path
        number = self._sets.setdefault((path, writable), len(self._sets) + 1)
        return f"/dev/fdset/{number}"

    def device(self, path: str, *, writable: bool) -> str:
        """Return the file name of a block device: a writable one is opened by the launcher in any case, so that nobody else can use it."""
        if not writable or not self._shows_descriptors:
            return self.name(path, writable=writable)
        number = self._sets.setdefault((path, writable), len(self._sets) + 1)
        self._exclusive.add(number)
        return f"/dev/fdset/{number}"

    @property
    def descriptors(self) -> tuple[Descriptor, ...]:
        """All descriptors that the names stand for."""
        return tuple(Descriptor(number, path, writable, number in self._exclusive) for (path, writable), number in self._sets.items())
