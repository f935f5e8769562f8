"""Devices of one line: random numbers and the memory balloon."""

from __future__ import annotations

from quarterdeck.machine.devices.address import BALLOON, RNG, address, virtio
from quarterdeck.machine.devices.board import board_of
from quarterdeck.machine.devices.part import Part, device
from quarterdeck.machine.options import json_argument
from quarterdeck.machine.resolved import ResolvedMachine

BALLOON_ID = "balloon0"
"""The QOM path ``/machine/peripheral/balloon0`` has ``guest-stats`` and ``guest-stats-polling-interval``."""


def random_numbers(machine: ResolvedMachine) -> Part:
    """Return a source of random numbers, so that guests do not wait for some at boot."""
    if not machine.rng:
        return Part()
    board = board_of(machine)
    source = json_argument({"qom-type": "rng-builtin", "id": "rng0"})
    return Part(
        ("-object", source, *device({"driver": virtio(board, "virtio-rng"), "id": "rng0-device", "rng": "rng0", **address(board, RNG)}))
    )


def balloon(machine: ResolvedMachine) -> Part:
    """Return the balloon: the guest tells which pages it does not use, and the host gets them back."""
    if not machine.balloon:
        return Part()
    board = board_of(machine)
    options = {"driver": virtio(board, "virtio-balloon"), "id": BALLOON_ID, "free-page-reporting": True, "deflate-on-oom": True}
    return Part(device({**options, **address(board, BALLOON)}))
