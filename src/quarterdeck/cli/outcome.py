"""How a machine ended, from what its supervisor left behind."""

from __future__ import annotations

import json

from quarterdeck.errors import QemuError
from quarterdeck.machine.layout import MachineLayout
from quarterdeck.runtime import statefile
from quarterdeck.runtime.client import error_from_json
from quarterdeck.runtime.state import State
from quarterdeck.runtime.statefile import CorruptStateError


def how_it_ended(layout: MachineLayout) -> str:
    """Return an orderly end in words.

    Raises:
        QuarterdeckError: it was no orderly end.
    """
    name = layout.root.name
    try:
        stored = statefile.read(layout.state).settled()
    except CorruptStateError:
        if not layout.root.exists():
            return f"{name} was removed"
        raise
    if stored.error is not None:
        raise error_from_json(500, json.dumps({"error": stored.error}).encode())
    if stored.state is State.CRASHED:
        hint = f"see: qd logs {name} --log qemu" if layout.qemu_log.exists() else f"try again: qd start {name}"
        raise QemuError("machine-crashed", f"machine '{name}' crashed", reason=stored.reason, hint=hint)
    if stored.qemu is not None and stored.qemu.alive():
        raise QemuError("supervisor-gone", f"the supervisor of '{name}' ended, the machine runs on", hint=f"take it over: qd start {name}")
    return f"{name} ended" + (f": {stored.reason}" if stored.reason else "")
