"""``qd ls`` and ``qd inspect``: what machines there are."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from rich.text import Text

from quarterdeck.cli.options import Json, Machine
from quarterdeck.cli.output import print_json, say, styled_state
from quarterdeck.cli.table import Column, print_columns, print_folded
from quarterdeck.core.size import format_size

if TYPE_CHECKING:
    from pathlib import Path

    from quarterdeck.runtime.store import MachineRecord

_UNITS = ((86400, "d"), (3600, "h"), (60, "m"), (1, "s"))
_COLUMNS = (
    Column("NAME", rank=0),
    Column("STATE", rank=1),
    Column("SINCE", rank=3),
    Column("BOOT", rank=8),
    Column("ARCH", rank=4),
    Column("ACCEL", rank=7),
    Column("CPUS", rank=5),
    Column("MEMORY", rank=6),
    Column("CONSOLE", rank=2),
)


def ls(json: Json = False) -> None:
    """List the machines of this user.

    Where the terminal is too narrow, the least important columns are left out; `--json` has everything.
    """
    from quarterdeck.runtime.store import MachineStore

    records = MachineStore().list()
    if json:
        print_json([record.to_json() for record in records])
    elif records:
        print_columns(_COLUMNS, [_row(record) for record in records])
    else:
        say("There is no machine yet. Make one: qd run debian")


def inspect(name: Machine, json: Json = False) -> None:
    """Print what is known about a machine; with `--json` all of it, with the spec that it was made from."""
    from quarterdeck.runtime.store import MachineStore

    store = MachineStore()
    record, layout = store.get(name), store.layout(name)
    if json:
        print_json({**record.to_json(), "folder": str(layout.root), "spec": _spec(layout.spec)})
        return
    rows = [*_facts(record), ("Folder", str(layout.root)), *_disks(layout.vm)]
    print_folded([[Text(label, style="bold"), value] for label, value in rows if str(value)])


def _facts(record: MachineRecord) -> list[tuple[str, str | Text]]:
    return [
        ("Name", record.name),
        ("State", _state(record)),
        ("Since", _since(record.since)),
        ("Reason", record.reason),
        ("Boots", record.boot),
        ("Architecture", record.arch),
        ("Accelerator", record.accelerator),
        ("CPUs", str(record.cpus or "")),
        ("Memory", format_size(record.memory) if record.memory else ""),
        ("Ports", ", ".join(_port(port) for port in record.ports)),
        ("Console", record.viewer or ""),
        ("QEMU", f"pid {record.pid}" if record.pid else ""),
    ]


def _disks(folder: Path) -> list[tuple[str, str]]:
    """Return how much of the host's disk the machine takes; nothing where this user may not look."""
    try:
        with os.scandir(folder) as files:
            used = sum(file.stat(follow_symlinks=False).st_blocks * 512 for file in files)  # stat(2): st_blocks counts 512 bytes
    except OSError:
        return []
    return [("Takes", f"{format_size(used)} on disk")]


def _spec(path: Path) -> Any:
    """Return the stored spec as it is, or None when it is damaged."""
    import json

    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None


def _port(port: dict[str, Any]) -> str:
    protocol = "/udp" if port.get("protocol") == "udp" else ""
    address, host, guest, count = (port.get(key) for key in ("address", "host", "guest", "count"))
    if isinstance(count, int) and isinstance(host, int) and isinstance(guest, int) and count > 1:
        return f"{address}:{host}-{host + count - 1} to {guest}-{guest + count - 1}{protocol}"
    return f"{address}:{host} to {guest}{protocol}"


def _row(record: MachineRecord) -> list[str | Text]:
    return [
        record.name,
        _state(record),
        _ago(record.since),
        short_boot(record.boot),
        record.arch,
        record.accelerator,
        str(record.cpus or ""),
        format_size(record.memory) if record.memory else "",
        record.viewer or "",
    ]


def _state(record: MachineRecord) -> Text:
    state = styled_state(record.state)
    if record.qemu_alive and not record.supervised:
        state.append(" (no supervisor)", style="yellow")
    return state


def short_boot(boot: str) -> str:
    """Return what boots without its folder: names tell machines apart, paths make rows long."""
    return boot.rpartition("/")[2] if boot.startswith("/") else boot


def _since(since: float) -> str:
    return f"{time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(since))} ({_ago(since)})" if since else ""


def _ago(since: float | None) -> str:
    """Return how long ago ``since`` (seconds since the epoch) was, in its largest unit."""
    if not since:
        return ""
    seconds = max(0, int(time.time() - since))
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{seconds // size}{unit} ago"
    return "now"
