"""The machine behind the page: a supervisor in a process of its own with the tiny guest, asked through its Unix socket."""

import asyncio
import io
import re
import signal
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from PIL import Image
from tests.boot.lifecycle_lab import PATIENCE, Lab
from tests.tiny_guest import READY

from quarterdeck.errors import UsageError
from quarterdeck.machine.spec import ViewerSpec
from quarterdeck.runtime.state import RESTING


class Desk:
    """One supervised machine, best made by :func:`running_desk`."""

    def __init__(self, lab: Lab, name: str, **fields: Any) -> None:
        self.lab = lab
        self.name = name
        # A port that stays the same, so that open pages find the next supervisor.
        lab.create(name, viewer=ViewerSpec(port=_free_port()), **fields)
        self.supervise()

    def supervise(self) -> None:
        """Start a supervisor; it takes QEMU over when that runs already."""
        self._handle, self._client = self.lab.spawn(self.name)

    async def api(self, method: str, path: str, body: Any = None) -> Any:
        return await asyncio.to_thread(self._client.request, method, path, body)

    async def link(self, *, view_only: bool = False) -> str:
        """Return a new one-time link, as ``qd open`` prints it."""
        return str((await self.api("POST", "/links", {"view_only": view_only}))["url"])

    async def address(self) -> str:
        """Return the console's URL without a token."""
        return str((await self.api("GET", "/machine"))["viewer"])

    async def pid(self) -> int | None:
        """Return the process of QEMU."""
        pid: int | None = (await self.api("GET", "/machine"))["pid"]
        return pid

    async def screenshot(self) -> Image.Image:
        """Return the screen as QEMU itself draws it."""
        content = await asyncio.to_thread(self._client.fetch, "GET", "/screenshot")
        return Image.open(io.BytesIO(content)).convert("RGB")

    async def said(self) -> str:
        """Return what this boot's guest wrote on its serial console."""
        content = await asyncio.to_thread(self._client.fetch, "GET", "/logs/serial?bytes=65536")
        return content.decode(errors="replace").replace("\r\n", "\n")

    async def heard(self, ending: str) -> str:
        """Wait for a whole line of the screen's keyboard that ends with ``ending``, and return it."""
        found: list[str] = []

        async def came() -> bool:
            lines = re.findall(r"^> keyboard: (.*)\n", await self.said(), re.MULTILINE)
            found[:] = [line for line in lines if line.endswith(ending)]
            return bool(found)

        await eventually(came)
        return found[-1]

    async def says(self, text: str, times: int = 1) -> None:
        """Wait until the guest has written ``text`` so many times since it was started."""

        async def came() -> bool:
            return (await self.said()).count(text) >= times

        await eventually(came)

    async def ready(self, *, not_pid: int | None = None) -> None:
        """Wait until the guest runs and obeys, in another QEMU than ``not_pid``."""

        async def came() -> bool:
            machine = await self.api("GET", "/machine")
            return bool(machine["state"] == "ready" and machine["pid"] != not_pid)

        await eventually(came)
        await self.says(READY)

    async def kill_supervisor(self) -> None:
        self._handle.send(signal.SIGKILL)
        await self._handle.wait()

    async def mend(self) -> None:
        """Bring the machine back to ready, whatever an earlier test left."""
        if not self.lab.store.get(self.name).supervised:
            self.supervise()
        state = (await self.api("GET", "/machine"))["state"]
        if state in RESTING:
            with suppress(UsageError):  # a restart that an earlier test asked for began meanwhile
                await self.api("POST", "/machine/start")
        elif state == "paused":
            await self.api("POST", "/machine/resume")
        await self.ready()

    async def end(self) -> None:
        """Cut the power and wait for the supervisor's end."""
        if self.lab.store.get(self.name).supervised:
            await self.api("POST", "/machine/kill")
        await self._handle.wait()


@asynccontextmanager
async def running_desk(lab: Lab, name: str, **fields: Any) -> AsyncIterator[Desk]:
    """A machine that is on its way to ready and is ended at last; ``fields`` are those of its spec."""
    desk = Desk(lab, name, **fields)
    try:
        yield desk
    finally:
        await desk.end()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def eventually(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait until ``condition`` returns true."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if await condition():
            return
        await asyncio.sleep(0.1)
    raise AssertionError("it never came")
