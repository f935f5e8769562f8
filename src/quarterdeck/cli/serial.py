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

if TYPE_CHECKING:
    from aiohttp import ClientWebSocketResponse

_LEAVE = b"\x1d"  # Ctrl-], as in telnet and virsh console


def serial(name: Machine) -> None:
    """Attach this terminal to the guest's serial console.

    Leave with **Ctrl-]**; the machine goes on. Without a terminal, standard input is typed into the guest
    and what the guest writes goes to standard output until the machine ends.
    """
    from quarterdeck.cli.reach import reach
    from quarterdeck.runtime.store import MachineStore

    reach(name)
    if sys.stdin.isatty():
        say(f"Connected to {name}. Leave with Ctrl-].", "dim")
    with _raw_terminal():
        asyncio.run(_attach(os.fspath(MachineStore().layout(name).api_socket)))


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
    from aiohttp import ClientSession, UnixConnector

    async with ClientSession(connector=UnixConnector(socket)) as session, session.ws_connect("http://localhost/api/v1/serial") as ws:
        writer = asyncio.create_task(_type(ws))
        reader = asyncio.create_task(_show(ws))
        await asyncio.wait({writer, reader}, return_when=asyncio.FIRST_COMPLETED)
        if writer.done() and not sys.stdin.isatty():
            await reader
        for task in (writer, reader):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def _type(ws: ClientWebSocketResponse) -> None:
    """Send standard input to the guest until it ends or the leave key comes."""
    loop = asyncio.get_running_loop()
    while data := await loop.run_in_executor(None, os.read, sys.stdin.fileno(), 4096):
        typed, leave, _rest = data.partition(_LEAVE) if sys.stdin.isatty() else (data, b"", b"")
        if typed:
            await ws.send_bytes(typed)
        if leave:
            return


async def _show(ws: ClientWebSocketResponse) -> None:
    async for message in ws:
        if isinstance(message.data, bytes):
            sys.stdout.buffer.write(message.data)
            sys.stdout.buffer.flush()
