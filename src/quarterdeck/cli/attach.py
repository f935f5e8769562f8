"""The foreground of ``qd run``: shows what happens to one machine until it ends, and hands signals to it."""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import suppress
from typing import Any

from rich.text import Text

from quarterdeck.cli.inbox import End, Inbox, Interrupt, Quiet
from quarterdeck.cli.outcome import how_it_ended
from quarterdeck.cli.output import Progress, print_json, results, say
from quarterdeck.cli.progress import Renderer, renderer
from quarterdeck.cli.reach import ENDING, supervisor_of, wait_until_gone
from quarterdeck.errors import QemuError, QuarterdeckError
from quarterdeck.machine.layout import MachineLayout
from quarterdeck.runtime.client import SupervisorClient
from quarterdeck.runtime.events import Record
from quarterdeck.runtime.state import RESTING, State

_SETTLING_SECONDS = 1.5
"""How long a supervisor may take to end after its machine did; one that stays longer was told to stay."""
_AGENT_SECONDS = 120.0
"""How long a guest that has an agent may be silent before we say where it is all the same."""
_UP = frozenset({State.RUNNING, State.READY})
_TOLD = {
    State.PREPARING: ("starts again", ""),
    State.RUNNING: ("runs again", ""),
    State.READY: ("is ready", "green"),
    State.PAUSED: ("is paused", "yellow"),
    State.STOPPING: ("is shutting down", ""),
    State.PANICKED: ("is halted: the guest's kernel panicked. Reset it in the console, or end it with Ctrl-C", "red"),
    State.IO_ERROR: ("is paused because a disk failed. When the host has space again: qd resume {name}", "red"),
}


class Attachment:
    """Follows one machine through its supervisor's events.

    Args:
        layout: where the machine lives.
        inbox: where signals arrive already; events join them.
        mode: how progress is shown.
    """

    def __init__(self, layout: MachineLayout, inbox: Inbox, mode: Progress) -> None:
        self.name = layout.root.name
        self._layout = layout
        self._inbox = inbox
        self._json = mode.settled() is Progress.JSON
        self._renderer: Renderer | None = renderer(mode)
        self._client = SupervisorClient(layout.api_socket)
        self._told: State | None = None
        self._rests = False
        self._wake_at: float | None = None
        self._signals: list[int] = []
        self._failure = ""

    def until_up(self, client: SupervisorClient) -> None:
        """Show progress until the guest's processors run, then say where to find it; for ``--detach``.

        Raises:
            QuarterdeckError: it ended before that.
        """
        if not self._follow(client, detach=True):
            raise QemuError("machine-ended", how_it_ended(self._layout), hint=f"start it again: qd start {self.name}")

    def until_end(self, client: SupervisorClient) -> int:
        """Show all that happens until the machine ended.

        Returns:
            0 after an orderly end; 130, 143 or 129 when SIGINT, SIGTERM or SIGHUP asked for it.

        Raises:
            QuarterdeckError: preparation failed, or QEMU crashed.
        """
        self._follow(client, detach=False)
        ended = how_it_ended(self._layout)
        if not self._json:
            say(f"{ended}.")
        return 128 + self._signals[0] if self._signals else 0

    def _follow(self, client: SupervisorClient, *, detach: bool) -> bool:
        """Show events until the supervisor ends, or with ``detach`` until the guest runs; return whether it was the latter."""
        self._client = client
        supervisor = supervisor_of(self._layout)
        self._inbox.follow(client)
        try:
            up = self._watch(detach=detach)
        finally:
            self._close()
        if not up:
            wait_until_gone(supervisor)
        return up

    def _watch(self, *, detach: bool) -> bool:
        while True:
            match self._inbox.receive(self._patience()):
                case Interrupt(number):
                    self._interrupt(number)
                case Quiet():
                    self._nothing_came()
                case End():
                    return False
                case Record() as record:
                    if self._show(record, detach=detach):
                        return True

    def _patience(self) -> float | None:
        return None if self._wake_at is None else max(0.0, self._wake_at - time.monotonic())

    def _show(self, record: Record, *, detach: bool) -> bool:
        """Show one event; return whether following ends here."""
        if record.type == "message" and record.data.get("level") == "error" and not self._json:
            self._failure = str(record.data.get("text", ""))  # said at the end, with its reason and what to do
        elif self._renderer is not None:
            self._renderer.show(record.type, record.data)
        if record.type == "step" and record.data.get("step") == "console" and record.data.get("status") == "done":
            self._show_link()
        return record.type == "state" and self._on_state(State(record.data["state"]), detach=detach)

    def _on_state(self, state: State, *, detach: bool) -> bool:
        """React to a new state; return whether following ends here."""
        self._rests = state in RESTING
        self._wake_at = time.monotonic() + _SETTLING_SECONDS if self._rests else None
        if self._told is not None or state not in _UP:
            self._tell(state)
            return False
        machine = self._machine()
        if machine is None:
            return False
        expected = machine.get("login") is not None and not detach
        if state is State.RUNNING and expected:
            self._wake_at = time.monotonic() + _AGENT_SECONDS
            return False
        self._finish(machine)
        return detach

    def _tell(self, state: State) -> None:
        """Say one quiet line about what became of the machine; steps say the rest while it starts."""
        if self._json or state not in _TOLD or state is self._told:
            return
        if self._told is None and state in {State.PREPARING, State.STARTING}:
            return
        if state is State.RUNNING and self._told not in {State.PAUSED, State.IO_ERROR, State.PANICKED}:
            return  # on the way to ready, or the agent fell silent for a moment
        text, style = _TOLD[state]
        self._told = state
        say(f"{self.name} {text.format(name=self.name)}.", style)

    def _nothing_came(self) -> None:
        """Say what it means that the machine was silent for so long."""
        self._wake_at = None
        if self._rests:
            self._stays()
        elif self._told is None and (machine := self._machine()) is not None:
            self._finish(machine)

    def _stays(self) -> None:
        """The machine is at rest and its supervisor stays: it was stopped on its web page, where it can be started again."""
        if self._json:
            return
        failure, self._failure = self._failure, ""
        what = f"failed: {failure}" if failure else "was stopped from its console"
        say(f"{self.name} {what}. The console stays: start it again there. Ctrl-C ends this.", "yellow")

    def _show_link(self) -> None:
        """Say early where the machine can be watched, so that nobody waits for the image in front of a blank page."""
        if self._told is None and self._renderer is not None and (link := self._new_link()):
            self._renderer.show("message", {"level": "info", "text": f"Watch it at {link}"})

    def _new_link(self) -> str | None:
        """Return a new one-time link to the console, or None when there is no console, or no more."""
        machine = self._machine()
        if machine is None or machine.get("viewer") is None:
            return None
        with suppress(QuarterdeckError):
            return str(self._client.request("POST", "/links", {"view_only": False})["url"])
        return None

    def _machine(self) -> dict[str, Any] | None:
        """Return the machine as its supervisor describes it; None when that is ending, which is told by what it leaves behind."""
        with suppress(QuarterdeckError):
            return dict(self._client.request("GET", "/machine"))
        return None

    def _finish(self, machine: dict[str, Any]) -> None:
        """Print the result: where the console is and how to log in."""
        self._told, self._wake_at = State(machine["state"]), None
        login, link = machine.get("login") or {}, self._new_link()
        if self._json:
            print_json({"name": self.name, "state": machine["state"], "url": link, "login": login or None})
            return
        self._close()
        line = Text.assemble((self.name, "bold"), f" is {machine['state']}")
        if link:
            line.append(f": {link}")
        if login:
            secret = f" / {login['password']}" if login.get("password") else " (by SSH key)"
            line.append(f"   login: {login['user']}{secret}")
        results.print(line)

    def _close(self) -> None:
        if self._renderer is not None:
            self._renderer.close()
            self._renderer = None

    def _interrupt(self, number: int) -> None:
        """The first signal shuts the guest down, the next ones cut its power."""
        self._signals.append(number)
        if number == signal.SIGHUP:
            _leave_terminal()
        first = len(self._signals) == 1
        say(f"Shutting {self.name} down; Ctrl-C again cuts its power." if first else f"Cutting the power of {self.name}.", "yellow")
        try:
            self._client.request("POST", "/machine/stop" if first else "/machine/kill")
        except QuarterdeckError as error:
            if error.key not in ENDING:  # then it ended, as it was asked to
                say(error.message, "red")


def _leave_terminal() -> None:
    """The terminal is gone: writing to it would fail in the middle of the shutdown."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
