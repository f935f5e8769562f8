"""The stop of one machine, from asking for it to its end."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Self

from quarterdeck.cli.output import say
from quarterdeck.cli.reach import ENDING, reach, supervisor_of, wait_until_gone
from quarterdeck.core.handle import ProcessHandle
from quarterdeck.errors import QemuError, QuarterdeckError, UsageError
from quarterdeck.runtime.client import SupervisorClient
from quarterdeck.runtime.store import MachineStore


@dataclass(frozen=True)
class Stopping:
    """A machine that was asked to stop at ``asked`` (seconds since the epoch); without ``client`` it was at rest already."""

    name: str
    asked: float
    forced: bool
    client: SupervisorClient | None = None
    supervisor: ProcessHandle | None = None

    @classmethod
    def ask(cls, name: str, timeout: float | None, *, force: bool) -> Self:
        """Ask a machine to stop; ``timeout`` (seconds) is for its guest, None means the default.

        Raises:
            QuarterdeckError: there is no such machine, or its supervisor refuses.
        """
        asked = time.time()
        try:
            client = reach(name)
        except UsageError as error:
            if error.key != "not-running":
                raise
            say(f"{name} is {MachineStore().get(name).state} already.")
            return cls(name, asked, force)
        supervisor = supervisor_of(MachineStore().layout(name))
        _request(client, timeout, force=force)
        return cls(name, asked, force, client, supervisor)

    def wait(self) -> None:
        """Say what the supervisor does, until it has given the machine back.

        Raises:
            QuarterdeckError: the machine runs on.
        """
        if self.client is None:
            return
        self._tell(self.client)
        wait_until_gone(self.supervisor)
        if MachineStore().get(self.name).qemu_alive:
            hint = f"take it over and try again: qd stop {self.name}"
            raise QemuError("supervisor-gone", f"the supervisor of '{self.name}' was killed, the machine runs on", hint=hint)

    def _tell(self, client: SupervisorClient) -> None:
        """Show messages until the events end, which they do with the supervisor."""
        try:
            for event in client.events():
                if event.type == "message" and event.data["time"] >= self.asked and not self.forced:
                    say(f"{self.name}: {event.data['text']}", "dim")
        except QuarterdeckError as error:
            if error.key not in ENDING:
                raise


def _request(client: SupervisorClient, timeout: float | None, *, force: bool) -> None:
    body: dict[str, Any] = {} if timeout is None else {"timeout": timeout}
    try:
        client.request("POST", "/machine/kill" if force else "/machine/stop", None if force else body)
    except QuarterdeckError as error:
        if error.key not in ENDING:  # then it ends by itself at this moment
            raise
