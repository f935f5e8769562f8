"""Typed commands of the guest agent. Names and fields: qga/qapi-schema.json of QEMU 7.2.

The answers come from the guest and are not trusted: each field is checked, and lists are cut at a sane length.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from quarterdeck.errors import QemuError
from quarterdeck.guest.qga import GuestAgent

_T = TypeVar("_T")
_MOST_ITEMS = 256
_LONGEST_TEXT = 512
_SET_TIME_SECONDS = 30.0
"""The agent runs hwclock in the guest."""


@dataclass(frozen=True)
class AgentInfo:
    """The agent's version and the commands that it will run."""

    version: str
    commands: frozenset[str]


@dataclass(frozen=True)
class OsInfo:
    """The guest's operating system for people, its id (``debian``) and its kernel release."""

    name: str
    id: str
    kernel: str


@dataclass(frozen=True)
class Interface:
    """One network card as the guest sees it; ``received`` and ``sent`` are bytes, None when the guest does not count."""

    name: str
    mac: str
    addresses: tuple[str, ...]
    received: int | None
    sent: int | None


@dataclass(frozen=True)
class User:
    """Somebody who is logged in; ``since`` is in seconds since the epoch."""

    name: str
    since: float


@dataclass(frozen=True)
class Filesystem:
    """A mounted file system; sizes in bytes, None when the guest does not tell."""

    mountpoint: str
    type: str
    used: int | None
    total: int | None


async def ping(agent: GuestAgent, *, timeout: float = 5.0) -> None:
    """Return when the agent answers. Raises: as :meth:`GuestAgent.execute`."""
    await agent.execute("guest-ping", timeout=timeout)


async def info(agent: GuestAgent) -> AgentInfo:
    """Return what the agent can do."""
    reply = _object(await agent.execute("guest-info"), "guest-info")
    supported = [_object(item, "guest-info") for item in _list(reply.get("supported_commands"))]
    enabled = frozenset(_text(item.get("name")) for item in supported if item.get("enabled") is True)
    return AgentInfo(_text(reply.get("version")), enabled)


async def shut_down(agent: GuestAgent, mode: str = "powerdown") -> None:
    """Ask the guest to end; ``mode`` is powerdown, reboot or halt. The agent answers nothing when it obeys."""
    await agent.send_only("guest-shutdown", {"mode": mode})


async def os_info(agent: GuestAgent) -> OsInfo:
    """Return what the guest runs."""
    reply = _object(await agent.execute("guest-get-osinfo"), "guest-get-osinfo")
    name = _text(reply.get("pretty-name")) or _text(reply.get("name"))
    return OsInfo(name, _text(reply.get("id")), _text(reply.get("kernel-release")))


async def host_name(agent: GuestAgent) -> str:
    """Return the guest's name for itself."""
    return _text(_object(await agent.execute("guest-get-host-name"), "guest-get-host-name").get("host-name"))


async def interfaces(agent: GuestAgent) -> tuple[Interface, ...]:
    """Return the guest's network cards."""
    return _each(await agent.execute("guest-network-get-interfaces"), _interface)


async def users(agent: GuestAgent) -> tuple[User, ...]:
    """Return who is logged in."""
    return _each(await agent.execute("guest-get-users"), lambda item: User(_text(item.get("user")), _number(item.get("login-time"))))


async def filesystems(agent: GuestAgent) -> tuple[Filesystem, ...]:
    """Return the guest's mounted file systems."""
    return _each(await agent.execute("guest-get-fsinfo"), _filesystem)


async def clock_time(agent: GuestAgent) -> float:
    """Return the guest's clock in seconds since the epoch.

    Raises:
        QemuError: the answer is no number.
    """
    reply = _count(await agent.execute("guest-get-time"))
    if reply is None:
        raise _odd("guest-get-time")
    return reply / 1e9


async def set_time(agent: GuestAgent, seconds: float) -> None:
    """Set the guest's clock, and on Linux its hardware clock, to ``seconds`` since the epoch.

    Raises: as ``GuestAgent.execute``; some distributions forbid their agent this command.
    """
    await agent.execute("guest-set-time", {"time": int(seconds * 1e9)}, timeout=_SET_TIME_SECONDS)


async def timezone(agent: GuestAgent) -> str:
    """Return the name of the guest's time zone, or its offset as ``+HH:MM``."""
    reply = _object(await agent.execute("guest-get-timezone"), "guest-get-timezone")
    offset = _count(reply.get("offset")) or 0
    hours, minutes = divmod(abs(offset) // 60, 60)
    return _text(reply.get("zone")) or f"{'-' if offset < 0 else '+'}{hours:02d}:{minutes:02d}"


def _interface(item: dict[str, Any]) -> Interface:
    statistics = item.get("statistics")
    counters = statistics if isinstance(statistics, dict) else {}
    return Interface(
        name=_text(item.get("name")),
        mac=_text(item.get("hardware-address")),
        addresses=tuple(_address(address) for address in _list(item.get("ip-addresses")) if isinstance(address, dict)),
        received=_count(counters.get("rx-bytes")),
        sent=_count(counters.get("tx-bytes")),
    )


def _address(item: dict[str, Any]) -> str:
    prefix = _count(item.get("prefix"))
    address = _text(item.get("ip-address"))
    return address if prefix is None else f"{address}/{prefix}"


def _filesystem(item: dict[str, Any]) -> Filesystem:
    return Filesystem(
        mountpoint=_text(item.get("mountpoint")),
        type=_text(item.get("type")),
        used=_count(item.get("used-bytes")),
        total=_count(item.get("total-bytes")),
    )


def _each(reply: Any, build: Callable[[dict[str, Any]], _T]) -> tuple[_T, ...]:
    return tuple(build(item) for item in _list(reply) if isinstance(item, dict))


def _object(value: Any, command: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _odd(command)
    return value


def _odd(command: str) -> QemuError:
    return QemuError("agent-odd-reply", f"the guest agent answered '{command}' with something odd")


def _list(value: Any) -> list[Any]:
    return value[:_MOST_ITEMS] if isinstance(value, list) else []


def _text(value: Any) -> str:
    return "".join(sign for sign in value[:_LONGEST_TEXT] if sign.isprintable()) if isinstance(value, str) else ""


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 63 else None


def _number(value: Any) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e18
    return float(value) if is_number else 0.0
