"""What the console needs of a machine. ``runtime.supervisor.Supervisor`` is the real one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, Protocol

from quarterdeck.runtime.events import EventLog


class SerialClient(Protocol):
    """One viewer of the serial console; closing is idempotent."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield what the guest writes, first the tail of the log; ends when the client is closed."""

    async def send(self, data: bytes) -> None:
        """Type bytes into the guest; dropped when no guest runs."""

    def close(self) -> None:
        """Stop watching."""


class StorageBackend(Protocol):
    """The snapshots, backups, clones and disks of one machine; answers are the JSON of docs/architecture.md."""

    def snapshots(self) -> list[dict[str, Any]]:
        """Return all snapshots, oldest first."""

    async def disks(self, *, private: bool) -> list[dict[str, Any]]:
        """Return the disks that the machine writes, with their paths only when ``private``; none before its first start."""

    async def create_snapshot(self, tag: str | None, *, memory: bool = False) -> dict[str, Any]: ...

    async def restore_snapshot(self, tag: str) -> dict[str, Any]: ...

    async def remove_snapshot(self, tag: str) -> None: ...

    async def back_up(self, folder: Path, *, full: bool = False) -> dict[str, Any]: ...

    async def clone(self, name: str, *, full: bool = False, ports: Sequence[str] | None = None) -> dict[str, Any]: ...

    async def copy(self, folder: Path, *, number: int | None = None) -> dict[str, Any]: ...

    async def grow(self, size: int, *, index: int = 0) -> dict[str, Any]: ...

    async def cancel(self) -> None:
        """End the operation that is under way; nothing happens when there is none."""


class UsbBackend(Protocol):
    """USB devices of the host; each is named as VENDOR:PRODUCT or BUS.PORT."""

    def to_json(self) -> list[dict[str, Any]]:
        """Return what is plugged in, and what the guest waits for."""

    async def attach(self, text: str) -> dict[str, Any]: ...

    async def detach(self, text: str) -> None: ...


class SpiceBackend(Protocol):
    """The SPICE server of one machine."""

    async def connection_file(self, host: str | None = None) -> str:
        """Return a ``.vv`` file for a client that reaches this host as ``host``; ``UsageError`` ``no-spice`` when there is no server."""


class MachineBackend(Protocol):
    """One machine and what can be done with it.

    Every method may raise ``QuarterdeckError``: a request that makes no sense in the present state is a ``UsageError`` with key
    ``wrong-state``, which the API answers with 409.
    """

    events: EventLog

    @property
    def spice(self) -> SpiceBackend:
        """The way in for SPICE clients."""

    @property
    def storage(self) -> StorageBackend:
        """What can be done with its disks."""

    @property
    def usb(self) -> UsbBackend:
        """The USB devices that it has of the host."""

    def describe(self, *, private: bool) -> dict[str, Any]:
        """Return the machine's JSON of docs/architecture.md; secrets only when ``private``."""

    async def start(self) -> None: ...

    async def stop(self, timeout: float | None = None, *, stay: bool = False) -> None:
        """Begin the stop ladder: agent, power button, quit after ``timeout`` seconds (None: the default).

        ``stay`` keeps the supervisor and with it the page, so that the machine can be started there again.
        """

    async def restart(self, timeout: float | None = None) -> None: ...

    async def reset(self) -> None: ...

    async def pause(self) -> None: ...

    async def resume(self) -> None: ...

    async def kill(self, *, stay: bool = False) -> None:
        """Pull the plug; ``stay`` as for :meth:`stop`."""

    async def screenshot(self) -> bytes:
        """Return the screen as PNG."""

    async def send_keys(self, keys: Sequence[str]) -> None: ...

    async def guest_facts(self) -> dict[str, Any]: ...

    def metrics(self) -> dict[str, Any]: ...

    def log_tail(self, name: str, size: int) -> bytes:
        """Return at most the last ``size`` bytes of log ``serial``, ``qemu`` or ``supervisor``."""

    async def open_vnc(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect to QEMU's VNC server; ``UsageError`` ``no-screen`` when there is none now."""

    def attach_serial(self) -> SerialClient:
        """Watch the serial console; lasts over restarts of the machine."""
