"""``qd serial``: the terminal becomes the guest's serial console."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import termios
import tty
from collections.abc import Iterator
from typing import TYPE_CHECKING

from quarterdeck.cli.options import Machine
from quarterdeck.cli.output import say
from quarterdeck.errors import QemuError, UsageError

if TYPE_CHECKING:
    from aiohttp import ClientWebSocketResponse

_URL = "http://localhost/api/v1/serial"
_CHUNK = 4096
_LEAVE = b"\x1d"  # Ctrl-], as in telnet and virsh console


def serial(name: Machine) -> None:
    """Attach this terminal to the guest's serial console.

    Leave with **Ctrl-]**; the machine goes on. Without a terminal, standard input is typed into the guest
    and what the guest writes goes to standard output until the machine ends.
    """
    from quarterdeck.cli.reach import reach
    from quarterdeck.runtime.store import MachineStore

    if not reach(name).request("GET", "/machine")["serial"]:
        raise UsageError("no-serial", f"machine '{name}' has no serial console now", hint=f"see: qd inspect {name}")
    socket = os.fspath(MachineStore().layout(name).api_socket)
    if sys.stdin.isatty():
        say(f"Connected to {name}. Leave with Ctrl-].", "dim")
    with _raw_terminal():
        asyncio.run(_attach(socket))


@contextlib.contextmanager
def _raw_terminal() -> Iterator[None]:
    """Hand every key to the guest, also Ctrl-C, and give the terminal back as it was."""
    if not sys.stdin.isatty():
        yield
        return
    before = termios.tcgetattr(sys.stdin)
    tty.setraw(sys.stdin)
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
        sys.stderr.write("\n")


async def _attach(socket: str) -> None:
    from aiohttp import ClientError, ClientSession, UnixConnector

    try:
        async with ClientSession(connector=UnixConnector(socket)) as session, session.ws_connect(_URL) as ws:
            await _talk(ws)
    except ClientError as error:
        raise QemuError("supervisor-gone", "the connection to the machine's supervisor broke", reason=str(error)) from None


async def _talk(ws: ClientWebSocketResponse) -> None:
    """Carry bytes both ways until the leave key is typed or the machine ends; the end of piped input ends only the typing."""
    writer = asyncio.create_task(_type(ws))
    reader = asyncio.create_task(_show(ws))
    await asyncio.wait({writer, reader}, return_when=asyncio.FIRST_COMPLETED)
    if writer.done() and not sys.stdin.isatty():
        await reader
    for task in (writer, reader):
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, ConnectionError):
            await task


async def _type(ws: ClientWebSocketResponse) -> None:
    """Send standard input to the guest until it ends or the leave key comes."""
    with _keyboard() as keys:
        while data := await keys.get():
            typed, leave, _rest = data.partition(_LEAVE) if sys.stdin.isatty() else (data, b"", b"")
            if typed:
                await ws.send_bytes(typed)
            if leave:
                return


@contextlib.contextmanager
def _keyboard() -> Iterator[asyncio.Queue[bytes]]:
    """A queue of what is typed; empty bytes are its end. No thread reads it, which would wait for one more key after the end."""
    loop, number = asyncio.get_running_loop(), sys.stdin.fileno()
    keys: asyncio.Queue[bytes] = asyncio.Queue()

    def read() -> None:
        data = os.read(number, _CHUNK)
        keys.put_nowait(data)
        if not data:
            loop.remove_reader(number)

    try:
        loop.add_reader(number, read)
    except PermissionError:  # epoll_ctl(2) refuses regular files, which never make one wait
        while data := os.read(number, _CHUNK):
            keys.put_nowait(data)
        keys.put_nowait(b"")
        yield keys
        return
    try:
        yield keys
    finally:
        loop.remove_reader(number)


async def _show(ws: ClientWebSocketResponse) -> None:
    async for message in ws:
        if isinstance(message.data, bytes):
            sys.stdout.buffer.write(message.data)
            sys.stdout.buffer.flush()
