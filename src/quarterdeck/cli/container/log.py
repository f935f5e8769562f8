"""What the container's log says: each step in a line, the link of the console, the guest's login."""

from __future__ import annotations

from quarterdeck.cli.output import Progress, say
from quarterdeck.cli.progress import renderer
from quarterdeck.console.server import ConsoleServer
from quarterdeck.runtime.events import Record
from quarterdeck.runtime.state import State
from quarterdeck.runtime.supervisor import Supervisor

_TOLD = {
    State.RUNNING: "runs",
    State.READY: "is ready",
    State.PAUSED: "is paused",
    State.STOPPING: "is shutting down",
    State.STOPPED: "is stopped",
    State.PANICKED: "is halted: the guest's kernel panicked",
    State.IO_ERROR: "is paused because a disk failed: give its folder space, then resume it in the console",
}


async def follow(supervisor: Supervisor, server: ConsoleServer) -> None:
    """Write the machine's events to the log until there are no more."""
    lines, told = renderer(Progress.PLAIN), ""
    async for record in supervisor.events.follow():
        lines.show(record.type, record.data)
        if _is_console_up(record) and server.viewer_url is not None:
            say(f"Watch it at {server.new_link()} (once; the port is the one that you published for {supervisor.spec.viewer.port})")
        if record.type == "state" and (words := _TOLD.get(State(record.data["state"]), "")) and words != told:
            told = words
            say(f"{supervisor.name} {words}{_login(supervisor) if words == 'is ready' else ''}.")


def _is_console_up(record: Record) -> bool:
    return record.type == "step" and record.data.get("step") == "console" and record.data.get("status") == "done"


def _login(supervisor: Supervisor) -> str:
    login = supervisor.describe(private=True).get("login") or {}
    if not login:
        return ""
    secret = f" / {login['password']}" if login.get("password") else " (by SSH key)"
    return f", login: {login['user']}{secret}"
