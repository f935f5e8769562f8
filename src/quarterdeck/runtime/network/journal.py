"""What was made for a machine's networks, written down before it is made, so that whoever comes next can remove it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from quarterdeck.core import fs
from quarterdeck.machine.layout import MachineLayout


@dataclass(frozen=True)
class Made:
    """The machine's table of nftables (empty: none), devices that outlive QEMU, and files of /proc/sys that said no before."""

    table: str = ""
    links: tuple[str, ...] = ()
    switches: tuple[str, ...] = ()


def write(layout: MachineLayout, made: Made) -> None:
    """Write down what is about to be made."""
    fs.write_json(layout.network_journal, asdict(made))


def read(layout: MachineLayout) -> Made | None:
    """Return what was written down, or None when nothing was or it cannot be read."""
    try:
        raw: Any = json.loads(layout.network_journal.read_bytes())
        return Made(str(raw["table"]), tuple(map(str, raw["links"])), tuple(map(str, raw["switches"])))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def clear(layout: MachineLayout) -> None:
    """Say that nothing is left."""
    layout.network_journal.unlink(missing_ok=True)
