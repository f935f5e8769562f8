"""How a machine looks from outside: the JSON of the HTTP API, and its log files by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from quarterdeck import __version__
from quarterdeck.errors import UsageError
from quarterdeck.machine.layout import MachineLayout
from quarterdeck.machine.spec import MachineSpec
from quarterdeck.runtime import launch, secrets
from quarterdeck.runtime.statefile import StoredState

_COPIED = (
    "since",
    "reason",
    "arch",
    "accelerator",
    "accelerator_reason",
    "cpus",
    "memory",
    "boot",
    "uuid",
    "viewer",
    "display",
    "error",
)


def machine_json(name: str, stored: StoredState) -> dict[str, Any]:
    """Return the part of ``GET /machine`` that state.json knows."""
    return {
        "name": name,
        "state": stored.state.value,
        **{key: getattr(stored, key) for key in _COPIED},
        "pid": None if stored.qemu is None else stored.qemu.pid,
        "serial": "serial" in dict(stored.sockets),
        "ports": list(stored.ports),
        "version": __version__,
    }


def login(layout: MachineLayout, spec: MachineSpec, stored: StoredState) -> dict[str, str] | None:
    """Return the guest's user and password (empty: by key only), or None when the image takes no seed."""
    if not stored.login:
        return None
    password = spec.provision.password or ("" if spec.provision.ssh_keys else secrets.load(layout).get("password", ""))
    return {"user": stored.login, "password": str(password)}


def log_path(layout: MachineLayout, name: str) -> Path:
    """Return the file of log ``name``. Raises: UsageError for an unknown name."""
    paths = {"serial": layout.serial_log, "qemu": layout.qemu_log, "supervisor": layout.supervisor_log}
    if name not in paths:
        raise UsageError("unknown-log", f"there is no log called '{name}'", hint=f"one of {', '.join(paths)}")
    return paths[name]


def planned_fields(planned: launch.Plan) -> dict[str, Any]:
    """Return the fields of state.json that a plan decides."""
    resolved = planned.resolved
    why = next((choice.why for choice in resolved.choices if choice.what in {"accelerator", "accel"}), "")
    return {
        "arch": resolved.arch.name,
        "accelerator": resolved.accelerator.value,
        "accelerator_reason": why,
        "cpus": resolved.cpus,
        "memory": resolved.memory,
        "uuid": resolved.uuid,
        "ports": tuple(vars(port) for network in resolved.networks for port in network.ports),
        "sockets": planned.command.sockets,
        "taps": launch.taps(resolved),
        "display": resolved.display.kind.value,
        "login": planned.login if resolved.seed or resolved.ignition else "",
    }
