"""The journal: what an operation is about to do, written before and removed after, so that whoever comes next can finish or undo it."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from quarterdeck.core import fs
from quarterdeck.errors import MediaError, UsageError
from quarterdeck.machine.layout import MachineLayout

Entry = dict[str, Any]


def read(layout: MachineLayout) -> Entry | None:
    """Return what is under way or was left, or None.

    Raises:
        MediaError: the file is damaged.
    """
    path = layout.storage_journal
    try:
        entry = json.loads(path.read_bytes())
        if isinstance(entry["operation"], str):
            return dict(entry)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        pass
    raise MediaError("journal-damaged", f"{path} cannot be understood", hint=f"look at the disks in {layout.vm}, then remove it")


def write(layout: MachineLayout, operation: str, **fields: Any) -> None:
    """Write down what is about to happen; replaces what stood there.

    Raises:
        UsageError: another kind of operation was left unfinished.
    """
    before = read(layout)
    if before is not None and before["operation"] != operation:
        raise UsageError("storage-unfinished", f"an earlier operation ({before['operation']}) is not finished", hint="try again")
    fs.write_json(layout.storage_journal, {"operation": operation, **fields})


def clear(layout: MachineLayout) -> None:
    """Nothing is under way any more."""
    with suppress(FileNotFoundError):
        layout.storage_journal.unlink()
        fs.sync_directory(layout.root)
