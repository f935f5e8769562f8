"""What was made for a machine's networks, written down before it is made, so that whoever comes next can remove it."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from typing import Any

from quarterdeck.core import clock, fs
from quarterdeck.machine.layout import MachineLayout


@dataclass(frozen=True)
class Made:
    """The machine's table of nftables (empty: none), devices that outlive QEMU, and files of /proc/sys that said no before.

    All of it is of one network namespace, told by :func:`namespace`, and gone with it.
    """

    namespace: str
    table: str = ""
    links: tuple[str, ...] = ()
    switches: tuple[str, ...] = ()


def namespace() -> str:
    """Return what names the network namespace that we are in; its number alone is used again after a restart of the host."""
    return f"{clock.boot_id()} {os.stat('/proc/self/ns/net').st_ino}"


def write(layout: MachineLayout, made: Made) -> None:
    """Write down what is about to be made."""
    fs.write_json(layout.network_journal, asdict(made))


def read(layout: MachineLayout) -> Made | None:
    """Return what was written down, or None when nothing was or it cannot be read."""
    try:
        raw: Any = json.loads(layout.network_journal.read_bytes())
        return Made(str(raw["namespace"]), str(raw["table"]), tuple(map(str, raw["links"])), tuple(map(str, raw["switches"])))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def clear(layout: MachineLayout) -> None:
    """Say that nothing is left."""
    layout.network_journal.unlink(missing_ok=True)
