"""QMP: a thin layer over the qemu.qmp library that adds deadlines, our errors and typed answers.

Commands and their fields: the QEMU QMP reference, qapi/*.json of QEMU 7.2 and 10.0.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qemu.qmp import ExecuteError, Message, QMPClient, QMPError, Runstate

from quarterdeck.core.handle import ProcessHandle
from quarterdeck.core.process import describe_status
from quarterdeck.errors import DeadlineError, QemuError
from quarterdeck.runtime.logs import tail_text

_CONNECT_SECONDS = 30.0
_REPLY_SECONDS = 10.0
_RETRY_SECONDS = 0.02
_END_SECONDS = 2.0
_KEPT_EVENTS = 4096

# The library reports each closed connection as an error on standard error; we raise errors ourselves.
logging.getLogger("qemu.qmp").setLevel(logging.CRITICAL)


@dataclass(frozen=True)
class QmpEvent:
    """An asynchronous event of QEMU: its name and its data."""

    name: str
    data: dict[str, Any]


@dataclass(frozen=True)
class Status:
    """Answer of query-status: whether the processors run, and QEMU's RunState."""

    running: bool
    status: str


@dataclass(frozen=True)
class BlockTotals:
    """Bytes read and written by all disks of the machine since QEMU started."""

    read: int
    written: int


class _Client(QMPClient):
    """Puts events into a bounded queue; the library's own listener would keep every event for ever."""

    def __init__(self) -> None:
        super().__init__()
        self.inbox: asyncio.Queue[QmpEvent | None] = asyncio.Queue(_KEPT_EVENTS)

    async def _on_message(self, msg: Message) -> None:
        if "event" not in msg:
            await super()._on_message(msg)
            return
        data = msg.get("data")
        self.offer(QmpEvent(str(msg["event"]), dict(data) if isinstance(data, dict) else {}))

    def offer(self, event: QmpEvent | None) -> None:
        """Add an event; the oldest goes when nobody reads them."""
        if self.inbox.full():
            self.inbox.get_nowait()
        self.inbox.put_nowait(event)


class Qmp:
    """One connection to one QEMU. Every method raises QemuError when the connection is lost or QEMU refuses."""

    def __init__(self, client: _Client) -> None:
        self._client = client
        self._watcher = asyncio.create_task(self._watch())

    @classmethod
    async def connect(cls, path: Path, process: ProcessHandle, log: Path, *, timeout: float = _CONNECT_SECONDS) -> Qmp:
        """Connect to the socket ``path`` as soon as ``process`` listens there; ``log`` is QEMU's output.

        Raises:
            QemuError: QEMU ended first (with the end of its log), or what answers is not QMP.
            DeadlineError: QEMU lives but does not answer within ``timeout`` seconds.
        """
        try:
            async with asyncio.timeout(timeout):
                stream = await _connect_socket(path, process, log)
                client = _Client()
                try:
                    await client.connect(stream)
                except (QMPError, OSError, EOFError) as error:
                    stream.close()
                    await _wait_for_end(process)
                    _raise_if_dead(process, log)
                    raise QemuError("qmp-failed", "QEMU does not speak QMP on its control socket", reason=str(error)) from None
        except TimeoutError:
            raise DeadlineError(
                "qmp-timeout", f"QEMU did not answer on its control socket within {timeout:g} s", hint=f"see {log}"
            ) from None
        return cls(client)

    async def execute(self, command: str, arguments: Mapping[str, Any] | None = None, *, timeout: float = _REPLY_SECONDS) -> Any:
        """Run a QMP command and return its answer.

        Raises:
            QemuError: QEMU refused it, or the connection is lost.
            DeadlineError: no answer within ``timeout`` seconds.
        """
        try:
            async with asyncio.timeout(timeout):
                return await self._client.execute(command, arguments)
        except TimeoutError:
            raise DeadlineError("qmp-timeout", f"QEMU did not answer '{command}' within {timeout:g} s") from None
        except ExecuteError as error:
            raise QemuError("qmp-refused", f"QEMU refused '{command}'", reason=str(error)) from None
        except (QMPError, OSError, EOFError) as error:
            raise QemuError("qmp-lost", f"QEMU ended before it answered '{command}'", reason=str(error)) from None

    async def events(self) -> AsyncIterator[QmpEvent]:
        """Yield QEMU's events until the connection ends."""
        while (event := await self._client.inbox.get()) is not None:
            yield event

    async def close(self) -> None:
        """Give up the connection; QEMU runs on."""
        self._watcher.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._watcher
        await _disconnect(self._client)

    async def status(self) -> Status:
        """Return whether the guest runs and QEMU's RunState."""
        reply = _mapping(await self.execute("query-status"), "query-status")
        return Status(reply.get("running") is True, str(reply.get("status", "")))

    async def cont(self) -> None:
        """Let the guest's processors run."""
        await self.execute("cont")

    async def stop(self) -> None:
        """Pause the guest's processors."""
        await self.execute("stop")

    async def wake(self) -> None:
        """Wake a guest that sleeps."""
        await self.execute("system_wakeup")

    async def power_button(self) -> None:
        """Press the ACPI power button."""
        await self.execute("system_powerdown")

    async def reset(self) -> None:
        """Press the reset button."""
        await self.execute("system_reset")

    async def quit(self) -> None:
        """End QEMU at once; losing the connection is the expected answer."""
        try:
            await self.execute("quit")
        except QemuError as error:
            if error.key != "qmp-lost":
                raise

    async def screendump(self, path: Path) -> None:
        """Have QEMU write the screen to ``path`` as PNG; QEMU creates the file as its own user (7.1 or later)."""
        await self.execute("screendump", {"filename": str(path), "format": "png"}, timeout=30.0)

    async def send_keys(self, keys: Sequence[str]) -> None:
        """Press and release one combination of QEMU key names (QKeyCode)."""
        await self.execute("send-key", {"keys": [{"type": "qcode", "data": key} for key in keys]})

    async def block_totals(self) -> BlockTotals:
        """Return the bytes that all disks read and wrote."""
        reply = await self.execute("query-blockstats")
        stats = [_stats(device) for device in reply] if isinstance(reply, list) else []
        return BlockTotals(sum(_count(item, "rd_bytes") for item in stats), sum(_count(item, "wr_bytes") for item in stats))

    async def port_open(self, chardev: str) -> bool:
        """Whether the guest has opened its end of character device ``chardev``."""
        reply = await self.execute("query-chardev")
        devices = reply if isinstance(reply, list) else []
        return any(
            isinstance(device, dict) and device.get("label") == chardev and device.get("frontend-open") is True for device in devices
        )

    async def add_fd(self, handle: int) -> int:
        """Hand an open file to QEMU and return the number of its fd set: QEMU opens it as ``/dev/fdset/NUMBER``; ``handle`` stays ours."""
        try:
            self._client.send_fd_scm(handle)
        except (QMPError, OSError) as error:
            raise QemuError("qmp-lost", "QEMU cannot be given a file", reason=str(error)) from None
        return int(_mapping(await self.execute("add-fd"), "add-fd")["fdset-id"])

    async def _watch(self) -> None:
        """Tell the reader of events when the connection ends."""
        while self._client.runstate is Runstate.RUNNING:
            await self._client.runstate_changed()
        self._client.offer(None)


async def _connect_socket(path: Path, process: ProcessHandle, log: Path) -> socket.socket:
    loop = asyncio.get_running_loop()
    while True:
        stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        try:
            await loop.sock_connect(stream, str(path))
        except (FileNotFoundError, ConnectionRefusedError, BlockingIOError):
            stream.close()
        except BaseException:
            stream.close()
            raise
        else:
            return stream
        _raise_if_dead(process, log)
        await asyncio.sleep(_RETRY_SECONDS)


async def _wait_for_end(process: ProcessHandle) -> None:
    """A QEMU that dislikes its arguments closes the connection a moment before it ends."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_END_SECONDS):
            await process.wait()


def _raise_if_dead(process: ProcessHandle, log: Path) -> None:
    if not process.alive():
        raise died(process, log)


def died(process: ProcessHandle, log: Path) -> QemuError:
    """Return the error for a QEMU that ended by itself: how, and the end of its log."""
    code = process.returncode
    how = "ended" if code is None else describe_status(code)
    return QemuError("qemu-died", f"QEMU {how}", reason=tail_text(log, lines=6), hint=f"its log is {log}")


async def _disconnect(client: _Client) -> None:
    """Close the connection; the library raises here what went wrong on it before, which nobody needs any more."""
    if client.runstate is Runstate.IDLE:
        return
    closing = asyncio.ensure_future(client.disconnect())
    await asyncio.wait([closing])
    if not closing.cancelled():
        closing.exception()


def _mapping(reply: Any, command: str) -> dict[str, Any]:
    if not isinstance(reply, dict):
        raise QemuError("qmp-odd-reply", f"QEMU answered '{command}' with something odd")
    return reply


def _stats(device: Any) -> dict[str, Any]:
    stats = device.get("stats") if isinstance(device, dict) else None
    return stats if isinstance(stats, dict) else {}


def _count(stats: dict[str, Any], name: str) -> int:
    value = stats.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
