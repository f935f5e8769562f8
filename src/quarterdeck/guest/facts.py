"""What the console shows of the inside of a guest: the ``/guest`` answer of the HTTP API."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from quarterdeck.core import clock
from quarterdeck.errors import QemuError
from quarterdeck.guest import commands
from quarterdeck.guest.commands import Filesystem, Interface, OsInfo, User
from quarterdeck.guest.qga import GuestAgent

_T = TypeVar("_T")

UNAVAILABLE: dict[str, Any] = {"available": False}
"""The answer while no agent speaks."""


@dataclass(frozen=True)
class GuestFacts:
    """What the agent told; empty where it does not know a command. ``time_offset`` is guest minus host in seconds."""

    hostname: str
    os: OsInfo
    interfaces: tuple[Interface, ...]
    users: tuple[User, ...]
    filesystems: tuple[Filesystem, ...]
    time_offset: float | None

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object of ``GET /guest``."""
        return {
            "available": True,
            "hostname": self.hostname,
            "os": self.os.name,
            "kernel": self.os.kernel,
            "interfaces": [{"name": card.name, "mac": card.mac, "addresses": list(card.addresses)} for card in self.interfaces],
            "users": [{"name": user.name, "since": user.since} for user in self.users],
            "filesystems": [vars(filesystem) for filesystem in self.filesystems],
            "time_offset": self.time_offset,
        }


async def collect(agent: GuestAgent) -> GuestFacts:
    """Ask the agent for everything that it knows.

    Raises:
        DeadlineError: it stopped answering.
    """
    return GuestFacts(
        hostname=await _or(commands.host_name(agent), lambda: ""),
        os=await _or(commands.os_info(agent), lambda: OsInfo("", "", "")),
        interfaces=await _or(commands.interfaces(agent), tuple),
        users=await _or(commands.users(agent), tuple),
        filesystems=await _or(commands.filesystems(agent), tuple),
        time_offset=await _time_offset(agent),
    )


async def _or(answer: Awaitable[_T], otherwise: Callable[[], _T]) -> _T:
    """Return the answer, or what stands for it when this agent has no such command or answers nonsense."""
    try:
        return await answer
    except QemuError:
        return otherwise()


async def _time_offset(agent: GuestAgent) -> float | None:
    before = clock.now()
    try:
        guest = await commands.clock_time(agent)
    except QemuError:
        return None
    return round(guest - (before + clock.now()) / 2, 3)
