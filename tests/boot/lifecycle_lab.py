"""What the life cycle tests share: a home folder of their own, supervised machines, and what is left of them."""

import asyncio
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.tiny_guest import READY, tiny_image

from quarterdeck.core.handle import ProcessHandle
from quarterdeck.machine.layout import MachineLayout
from quarterdeck.machine.spec import Accel, MachineSpec, ViewerSpec
from quarterdeck.runtime.client import SupervisorClient
from quarterdeck.runtime.serial_hub import SerialViewer
from quarterdeck.runtime.spawn import spawn_supervisor
from quarterdeck.runtime.store import MachineStore
from quarterdeck.runtime.supervisor import Supervisor

PATIENCE = 60.0


async def until(condition: Callable[[], bool]) -> None:
    """Wait until ``condition`` holds."""
    for _ in range(int(PATIENCE / 0.05)):
        if condition():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it never came")


class Serial:
    """A viewer that remembers all that it saw."""

    def __init__(self, viewer: SerialViewer) -> None:
        self._viewer = viewer
        self._seen = b""
        self._from = 0

    async def expect(self, text: str) -> None:
        """Wait until the guest writes ``text`` after what was expected before."""
        async with asyncio.timeout(PATIENCE):
            while (at := self._seen.find(text.encode(), self._from)) < 0:
                self._seen += await anext(aiter(self._viewer))
        self._from = at + len(text)

    async def answer(self) -> list[str]:
        """Return the lines of the guest's answer to ``sh LINE``."""
        start = self._from
        await self.expect("> ended")
        lines = self._seen[start : self._from].decode(errors="replace").splitlines()
        return [line.removeprefix("> ").strip() for line in lines if line.startswith("> ") and line != "> ended"]

    async def command(self, line: str) -> None:
        await self._viewer.send(line.encode() + b"\n")


@dataclass
class Running:
    """A supervisor in this process, and the task that runs it."""

    supervisor: Supervisor
    task: asyncio.Task[int]
    serial: Serial

    async def until(self, *states: str) -> None:
        """Wait until the machine is in one of ``states``."""
        async with asyncio.timeout(PATIENCE):
            async for record in self.supervisor.events.follow():
                if record.type == "state" and self.supervisor.state in states:
                    return
        raise AssertionError(f"it ended as {self.supervisor.state}, not as {states}")

    async def boot(self) -> None:
        """Wait until the guest obeys and its agent answers."""
        await self.until("ready")
        await self.serial.expect(READY)

    async def code(self) -> int:
        async with asyncio.timeout(PATIENCE):
            return await self.task

    def messages(self) -> list[str]:
        return [record.data["text"] for record in self.supervisor.events._records if record.type == "message"]


class Lab:
    """A store of machines that is thrown away."""

    def __init__(self, home: Path) -> None:
        self.store = MachineStore(home / "machines")

    def create(self, name: str = "tiny", **fields) -> MachineLayout:
        fixed = {
            "boot": str(tiny_image()),
            "arch": "x86_64",
            "memory": 256 << 20,
            "cpus": 1,
            "accel": Accel.TCG,
            "viewer": ViewerSpec(port=0),
        }
        return self.store.create(MachineSpec(**{**fixed, "name": name, **fields}))

    @asynccontextmanager
    async def supervised(self, name: str = "tiny") -> AsyncIterator[Running]:
        """Supervise ``name`` in this process; whatever still runs at the end is ended."""
        supervisor = Supervisor.open(self.store, name)
        serial = Serial(supervisor.attach_serial())
        task = asyncio.create_task(supervisor.run())
        try:
            yield Running(supervisor, task, serial)
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    def spawn(self, name: str = "tiny") -> tuple[ProcessHandle, SupervisorClient]:
        """Supervise ``name`` in a process of its own."""
        layout = self.store.layout(name)
        handle = spawn_supervisor(layout, [sys.executable, "-m", "quarterdeck.cli.supervise", name])
        return handle, SupervisorClient(layout.api_socket)

    async def until_listed(self, name: str, *states: str) -> None:
        """Wait until ``qd ls`` would show ``name`` in one of ``states``."""
        await until(lambda: self.store.get(name).state in states)

    def processes(self) -> list[int]:
        """Return the pids of all that runs for this lab: supervisors, QEMUs and helpers all inherit its home."""
        mark = f"QUARTERDECK_HOME={self.store.root.parent}".encode()
        return [pid for pid in _pids() if mark in _environment(pid)]

    def sockets(self) -> list[Path]:
        return [path for path in self.store.root.rglob("*") if path.is_socket()]


def _pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdecimal() and int(name) != os.getpid()]


def _environment(pid: int) -> list[bytes]:
    """Return the variables that a process was started with; nothing when it is gone or ended."""
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return []


@contextmanager
def lab() -> Iterator[Lab]:
    """A lab under a short path that QEMU's own user can walk to; pytest's folders are closed to it."""
    home = Path(tempfile.mkdtemp(dir="/tmp", prefix="qd-"))
    home.chmod(0o711)
    made = Lab(home)
    previous = os.environ.get("QUARTERDECK_HOME")
    os.environ["QUARTERDECK_HOME"] = str(home)
    try:
        yield made
        assert made.processes() == []
    finally:
        for log in home.rglob("qemu.log*"):
            print(f"{log}:\n{log.read_text(errors='replace')[-4000:]}")  # shown when the test fails
        for pid in made.processes():
            os.kill(pid, signal.SIGKILL)
        if previous is None:
            del os.environ["QUARTERDECK_HOME"]
        else:
            os.environ["QUARTERDECK_HOME"] = previous
        shutil.rmtree(home)
