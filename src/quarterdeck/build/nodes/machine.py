"""How to log in to a Quarterdeck machine: its forward of port 22, read from the state.json in its folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from quarterdeck.build.nodes.ssh import SshAddress
from quarterdeck.core import paths
from quarterdeck.errors import HostError, TargetError
from quarterdeck.machine.layout import MachineLayout

_SSH = 22
_UP = ("running", "ready")
_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - these are read, nobody listens


def known_hosts() -> Path:
    """Return the file of our machines' host keys; the user's own known_hosts stays free of them."""
    return paths.home() / "builds/known_hosts"


def machine_address(name: str, *, identity: Path | None = None) -> SshAddress:
    """Return where and as whom to log in to a machine that runs.

    Raises:
        HostError: there is no such machine, or it does not run.
        TargetError: its port 22 is not led to this host.
    """
    layout = MachineLayout(paths.machines() / name)
    state = _state(layout, name)
    if state.get("state") not in _UP:
        raise HostError(
            "machine-not-running",
            f"the machine '{name}' does not run",
            reason=f"its state is {state.get('state')}",
            hint=f"start it: qd start {name}",
        )
    address, port = _forward(state, name)
    user, uuid = state.get("login"), state.get("uuid")
    return SshAddress(
        address,
        user=user if isinstance(user, str) else "",
        port=port,
        identity=identity,
        known_hosts=known_hosts(),
        # A machine that is made anew under an old name has another key, and another UUID.
        alias=f"quarterdeck-{uuid or name}",
    )


def _state(layout: MachineLayout, name: str) -> dict[str, Any]:
    try:
        state = json.loads(layout.state.read_bytes())
    except FileNotFoundError:
        raise HostError("no-such-machine", f"there is no machine '{name}'", hint="'qd ls' shows all") from None
    except (OSError, ValueError, RecursionError) as error:
        raise HostError("machine-state-unreadable", f"the state of the machine '{name}' cannot be read", reason=str(error)) from None
    return state if isinstance(state, dict) else {}


def _forward(state: dict[str, Any], name: str) -> tuple[str, int]:
    ports = state.get("ports")
    for port in ports if isinstance(ports, list) else []:
        try:
            offset = _SSH - port["guest"]
            if port["protocol"] == "tcp" and 0 <= offset < port.get("count", 1):
                return _ANY.get(port["address"], port["address"]), port["host"] + offset
        except (TypeError, KeyError, AttributeError):
            continue
    hint = "run it with one more option: --port 2222:22"
    raise TargetError("machine-without-ssh", f"port 22 of the machine '{name}' is not led to this host", hint=hint)
