"""``qd ls`` and ``qd inspect``: what machines there are."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rich.text import Text

from quarterdeck.cli.options import Json, Machine
from quarterdeck.cli.output import print_json, print_table, say, styled_state
from quarterdeck.core.size import format_size

if TYPE_CHECKING:
    from quarterdeck.runtime.store import MachineRecord

_UNITS = ((86400, "d"), (3600, "h"), (60, "m"), (1, "s"))


def ls(json: Json = False) -> None:
    """List the machines of this user."""
    from quarterdeck.runtime.store import MachineStore

    records = MachineStore().list()
    if json:
        print_json([record.to_json() for record in records])
    elif records:
        print_table(["NAME", "STATE", "SINCE", "BOOT", "ARCH", "ACCEL", "CPUS", "MEMORY", "CONSOLE"], [_row(record) for record in records])
    else:
        say("There is no machine yet. Make one: qd run debian")


def inspect(name: Machine) -> None:
    """Print all that is known about a machine as JSON: its state, and its spec as stored."""
    import json

    from quarterdeck.runtime.store import MachineStore

    record = MachineStore().get(name)
    layout = MachineStore().layout(name)
    print_json({**record.to_json(), "folder": str(layout.root), "spec": json.loads(layout.spec.read_text(encoding="utf-8"))})


def _row(record: MachineRecord) -> list[str | Text]:
    state = styled_state(record.state)
    if record.qemu_alive and not record.supervised:
        state.append(" (no supervisor)", style="yellow")
    return [
        record.name,
        state,
        _ago(record.since),
        record.boot or "",
        record.arch,
        record.accelerator,
        str(record.cpus or ""),
        format_size(record.memory) if record.memory else "",
        record.viewer or "",
    ]


def _ago(since: float | None) -> str:
    """Return how long ago ``since`` (seconds since the epoch) was, in its largest unit."""
    if not since:
        return ""
    seconds = max(0, int(time.time() - since))
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{seconds // size}{unit} ago"
    return "now"
