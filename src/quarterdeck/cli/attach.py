"""The foreground of ``qd run``: shows what happens to one machine until it ends, and hands signals to it."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.text import Text

from quarterdeck.cli.output import Progress, print_json, results, say
from quarterdeck.cli.progress import Renderer, renderer
from quarterdeck.errors import QemuError, QuarterdeckError
from quarterdeck.machine.layout import MachineLayout
from quarterdeck.runtime import statefile
from quarterdeck.runtime.client import SupervisorClient, error_from_json
from quarterdeck.runtime.state import State

_UP = frozenset({State.RUNNING, State.READY})
_TOLD = {
    State.PAUSED: "paused",
    State.STOPPING: "shutting down",
    State.PANICKED: "the guest's kernel panicked; look at it in the console, then stop it",
    State.IO_ERROR: "a disk failed and the guest is paused; free space on the host, then: qd resume",
}


class Attachment:
    """Follows one machine through its supervisor's events."""

    def __init__(self, layout: MachineLayout, client: SupervisorClient, mode: Progress) -> None:
        self.name = layout.root.name
        self._layout = layout
        self._client = client
        self._mode = mode
        self._renderer: Renderer | None = renderer(mode)
        self._link = ""
        self._interrupts = 0
        self._signal = 0

    def until_up(self) -> None:
        """Show progress until the guest's processors run, then say where to find it; for ``--detach``."""
        try:
            up = self._follow(detach=True)
        finally:
            self._close()
        if not up:
            raise_failure(self._layout)

    def until_end(self) -> int:
        """Show all that happens until the machine ended.

        Returns:
            0 after an orderly end, 130 or 143 when a signal asked for it.

        Raises:
            QuarterdeckError: preparation failed, QEMU crashed or the guest panicked.
        """
        try:
            with self._signals():
                self._follow(detach=False)
        finally:
            self._close()
        raise_failure(self._layout)
        return 128 + self._signal if self._signal else 0

    def _follow(self, *, detach: bool) -> bool:
        """Show events until the supervisor ends, or with ``detach`` until the guest runs; return whether it was the latter."""
        try:
            return self._watch(detach=detach)
        except QemuError as error:
            if error.key != "supervisor-gone":
                raise
            return False  # it ended while we asked; what it left behind says why

    def _watch(self, *, detach: bool) -> bool:
        for record in self._client.events():
            if self._renderer is not None:
                self._renderer.show(record.type, record.data)
            if record.type == "step" and record.data.get("step") == "console" and record.data.get("status") == "done":
                self._show_link()
            if record.type == "state" and self._on_state(State(record.data["state"]), detach=detach):
                return True
        return False

    def _on_state(self, state: State, *, detach: bool) -> bool:
        """React to a new state; return whether following ends here."""
        if self._renderer is None:
            self._tell(state)
            return False
        if state in _UP:
            machine = self._client.request("GET", "/machine")
            expected = machine.get("login") is not None and machine.get("agent")
            if detach or state is State.READY or not expected:
                self._finish(machine)
                return detach
        return False

    def _tell(self, state: State) -> None:
        if self._mode.settled() is not Progress.JSON and state in _TOLD:
            say(f"{self.name}: {_TOLD[state]}", "yellow")

    def _show_link(self) -> None:
        """Say early where the machine can be watched, so that nobody waits for the image in front of a blank page."""
        if self._link or self._client.request("GET", "/machine").get("viewer") is None:
            return
        self._link = self._client.request("POST", "/links", {"view_only": False})["url"]
        if self._renderer is not None:
            self._renderer.show("message", {"level": "info", "text": f"Watch it at {self._link}"})

    def _finish(self, machine: dict[str, Any]) -> None:
        """Print the result: where the console is and how to log in."""
        self._close()
        login = machine.get("login") or {}
        if self._mode.settled() is Progress.JSON:
            print_json({"name": self.name, "state": machine["state"], "url": self._link or None, "login": login or None})
            return
        line = Text.assemble((self.name, "bold"), f" is {machine['state']}")
        if self._link:
            line.append(f": {self._link}")
        if login:
            secret = f" / {login['password']}" if login.get("password") else " (by SSH key)"
            line.append(f"   login: {login['user']}{secret}")
        results.print(line)

    def _close(self) -> None:
        if self._renderer is not None:
            self._renderer.close()
            self._renderer = None

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """While attached, the first interrupt shuts the guest down, the second cuts its power."""
        before = {number: signal.signal(number, self._on_signal) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, number: int, _frame: object) -> None:
        self._interrupts += 1
        self._signal = self._signal or number
        try:
            if self._interrupts == 1:
                say(f"Shutting {self.name} down; interrupt again to cut its power.", "yellow")
                self._client.request("POST", "/machine/stop")
            else:
                self._client.request("POST", "/machine/kill")
        except QuarterdeckError as error:
            if self._interrupts > 1:
                say(error.message, "red")


def raise_failure(layout: MachineLayout) -> None:
    """Raise what ended the machine when that was no orderly end."""
    stored = statefile.read(layout.state).settled()
    if stored.error is not None:
        raise error_from_json(500, json.dumps({"error": stored.error}).encode())
    if stored.state is State.CRASHED:
        raise QemuError("machine-crashed", f"machine '{layout.root.name}' crashed", reason=stored.reason, hint=f"see {layout.qemu_log}")
    if stored.qemu is not None and stored.qemu.alive():
        name = layout.root.name
        raise QemuError("supervisor-gone", f"the supervisor of '{name}' ended, the machine runs on", hint=f"take it over: qd start {name}")
