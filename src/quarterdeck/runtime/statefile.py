"""state.json: what is known about a machine, for those who look while no supervisor answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from quarterdeck.core import clock, fs
from quarterdeck.core.handle import ProcessHandle
from quarterdeck.runtime.state import LIVE, State


@dataclass(frozen=True)
class ProcessId:
    """A process by pid and start time in clock ticks since boot, so that a reused pid is never mistaken for it."""

    pid: int
    started: int

    @classmethod
    def of(cls, handle: ProcessHandle) -> ProcessId:
        return cls(handle.pid, handle.started)

    def alive(self) -> bool:
        """Whether that very process still runs; false for zombies."""
        return self.handle() is not None

    def handle(self) -> ProcessHandle | None:
        """Return a handle of the process, or None when it is gone."""
        return ProcessHandle.adopt(self.pid, self.started) if self.pid > 0 else None


@dataclass(frozen=True, kw_only=True)
class StoredState:
    """The content of state.json. ``since`` is in seconds since the epoch, ``memory`` in bytes.

    ``helpers`` maps sidecar names to their processes, ``sockets`` roles to the Unix sockets that QEMU listens on.
    ``taps`` are host network devices of the machine's own, ``login`` is the user that the first boot makes.
    ``ports`` and ``error`` are as in the HTTP API.
    """

    state: State = State.CREATED
    since: float = 0.0
    reason: str = ""
    boot_id: str = ""
    supervisor: ProcessId | None = None
    qemu: ProcessId | None = None
    helpers: tuple[tuple[str, ProcessId], ...] = ()
    viewer: str | None = None
    arch: str = ""
    accelerator: str = ""
    accelerator_reason: str = ""
    cpus: int = 0
    memory: int = 0
    boot: str = ""
    uuid: str = ""
    ports: tuple[dict[str, Any], ...] = ()
    sockets: tuple[tuple[str, str], ...] = ()
    taps: tuple[str, ...] = ()
    display: str = "none"
    login: str = ""
    error: dict[str, Any] | None = field(default=None)

    def settled(self) -> StoredState:
        """Return the state as it really is: one that claims life while nothing lives is a crash."""
        if self.state not in LIVE:
            return self
        if self.boot_id != clock.boot_id():
            return self._dead("the host went down")
        if _lives(self.qemu) or _lives(self.supervisor):
            return self
        never_up = self.state is State.PREPARING
        return self._dead("its preparation was interrupted" if never_up else "QEMU is gone")

    def _dead(self, reason: str) -> StoredState:
        changes = {"state": State.CRASHED, "reason": reason, "supervisor": None, "qemu": None, "helpers": (), "viewer": None}
        return StoredState(**{**self.__dict__, **changes})


def _lives(process: ProcessId | None) -> bool:
    return process is not None and process.alive()


class CorruptStateError(ValueError):
    """state.json cannot be understood; the message says why."""


def read(path: Path) -> StoredState:
    """Return what ``path`` holds.

    Raises:
        CorruptStateError: it is missing, unreadable, or not what Quarterdeck writes.
    """
    try:
        raw = json.loads(path.read_bytes())
    except OSError as error:
        raise CorruptStateError(f"{path.name} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise CorruptStateError(f"{path.name} is not JSON") from None
    if not isinstance(raw, dict):
        raise CorruptStateError(f"{path.name} is not a JSON object")
    try:
        return _parse(raw)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CorruptStateError(f"{path.name} is damaged: {error}") from None


def write(path: Path, state: StoredState) -> None:
    """Replace ``path`` atomically."""
    fs.write_json(path, to_json(state))


def to_json(state: StoredState) -> dict[str, Any]:
    """Return the JSON object that state.json holds."""
    return {
        **state.__dict__,
        "state": state.state.value,
        "supervisor": _process_json(state.supervisor),
        "qemu": _process_json(state.qemu),
        "helpers": {name: _process_json(process) for name, process in state.helpers},
        "ports": list(state.ports),
        "sockets": dict(state.sockets),
        "taps": list(state.taps),
    }


def _process_json(process: ProcessId | None) -> dict[str, int] | None:
    return None if process is None else {"pid": process.pid, "started": process.started}


def _parse(raw: Mapping[str, Any]) -> StoredState:
    return StoredState(
        state=State(raw["state"]),
        since=float(raw["since"]),
        reason=str(raw.get("reason", "")),
        boot_id=str(raw.get("boot_id", "")),
        supervisor=_process(raw.get("supervisor")),
        qemu=_process(raw.get("qemu")),
        helpers=_helpers(raw.get("helpers", {})),
        viewer=None if raw.get("viewer") is None else str(raw["viewer"]),
        **{name: str(raw.get(name, "")) for name in ("arch", "accelerator", "accelerator_reason", "boot", "uuid", "login")},
        display=str(raw.get("display", "none")),
        sockets=tuple((str(role), str(path)) for role, path in raw.get("sockets", {}).items()),
        taps=tuple(str(tap) for tap in raw.get("taps", ())),
        cpus=int(raw.get("cpus", 0)),
        memory=int(raw.get("memory", 0)),
        ports=tuple(dict(port) for port in raw.get("ports", ())),
        error=None if raw.get("error") is None else dict(raw["error"]),
    )


def _process(raw: Any) -> ProcessId | None:
    return None if raw is None else ProcessId(int(raw["pid"]), int(raw["started"]))


def _helpers(raw: Mapping[str, Any]) -> tuple[tuple[str, ProcessId], ...]:
    found = [(str(name), _process(value)) for name, value in raw.items()]
    return tuple((name, process) for name, process in found if process is not None)
