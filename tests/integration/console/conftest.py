"""A machine that is none, and consoles that show it."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from quarterdeck.console.server import ConsoleServer
from quarterdeck.console.viewer import Viewer
from quarterdeck.errors import DeadlineError, QemuError, UsageError
from quarterdeck.runtime.events import EventLog

SNAPSHOT = {"tag": "a", "created": 1.5, "memory": False, "consistency": "agent", "disks": ["disk0"]}
DISK = {"disk": 0, "name": "disk0", "format": "qcow2", "size": 1 << 30, "used": 1 << 20, "snapshots": True}
USB = {"vendor": "046d", "product": "c52b", "bus": 1, "port": "1.4", "name": "Receiver", "plugged": True, "attached": False}
PNG = b"\x89PNG\r\n\x1a\n"


class FakeSerial:
    """One viewer of a serial console that says what it is told to."""

    def __init__(self, tail: bytes) -> None:
        self.typed = bytearray()
        self.closed = False
        self._queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._queue.put_nowait(tail)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (data := await self._queue.get()) is not None:
            yield data

    def say(self, data: bytes) -> None:
        self._queue.put_nowait(data)

    async def send(self, data: bytes) -> None:
        self.typed += data

    def close(self) -> None:
        self.closed = True
        self._queue.put_nowait(None)


class FakeStorage:
    """The disks of a machine that is none; records through the backend."""

    def __init__(self, do: Callable[..., None]) -> None:
        self._do = do

    def snapshots(self) -> list[dict[str, Any]]:
        self._do("snapshots")
        return [SNAPSHOT]

    async def disks(self, *, private: bool) -> list[dict[str, Any]]:
        self._do("disks")
        return [{**DISK, "path": "/d/disk0.qcow2" if private else None}]

    async def create_snapshot(self, tag: str | None, *, memory: bool = False) -> dict[str, Any]:
        self._do("create_snapshot", tag, memory)
        return SNAPSHOT

    async def restore_snapshot(self, tag: str) -> dict[str, Any]:
        self._do("restore_snapshot", tag)
        return SNAPSHOT

    async def remove_snapshot(self, tag: str) -> None:
        self._do("remove_snapshot", tag)

    async def back_up(self, folder: Path, *, full: bool = False) -> dict[str, Any]:
        self._do("back_up", folder, full)
        return {"id": "20260101-000000-aaaaaa"}

    async def clone(self, name: str, *, full: bool = False, ports: Sequence[str] | None = None) -> dict[str, Any]:
        self._do("clone", name, full, ports)
        return {"name": name, "clashes": []}

    async def copy(self, folder: Path, *, number: int | None = None) -> dict[str, Any]:
        self._do("copy", folder, number)
        return {"consistency": "crash", "disks": []}

    async def grow(self, size: int, *, index: int = 0) -> dict[str, Any]:
        self._do("grow", size, index)
        return {"disk": index, "size": size}

    async def cancel(self) -> None:
        self._do("cancel")


class FakeUsb:
    """A host with one USB device; records through the backend."""

    def __init__(self, do: Callable[..., None]) -> None:
        self._do = do

    def to_json(self) -> list[dict[str, Any]]:
        self._do("usb")
        return [USB]

    async def attach(self, text: str) -> dict[str, Any]:
        self._do("attach", text)
        return USB

    async def detach(self, text: str) -> None:
        self._do("detach", text)


class FakeSpice:
    """Lets in at a SPICE server that is none."""

    def __init__(self, do: Callable[..., None]) -> None:
        self._do = do

    async def connection_file(self, host: str | None = None) -> str:
        self._do("spice", host)
        return "[virt-viewer]\ntype=spice\n"


class FakeBackend:
    """Records what it is asked to do; ``failures`` maps a method to the exception it raises."""

    def __init__(self) -> None:
        self.events = EventLog()
        self.storage = FakeStorage(self._do)
        self.spice = FakeSpice(self._do)
        self.usb = FakeUsb(self._do)
        self.calls: list[tuple[Any, ...]] = []
        self.failures: dict[str, Exception] = {}
        self.vnc_socket: Path | None = None
        self.serials: list[FakeSerial] = []
        self.state = "ready"

    def describe(self, *, private: bool) -> dict[str, Any]:
        return {
            "name": "demo",
            "state": self.state,
            "since": 1.5,
            "reason": "",
            "arch": "x86_64",
            "accelerator": "tcg",
            "accelerator_reason": "no /dev/kvm",
            "cpus": 2,
            "memory": 2 << 30,
            "boot": "debian",
            "uuid": "00000000-0000-0000-0000-000000000000",
            "pid": 42,
            "viewer": None,
            "display": "vnc",
            "serial": True,
            "agent": True,
            "login": {"user": "debian", "password": "secret"} if private else None,
            "ports": [{"address": "127.0.0.1", "host": 2222, "guest": 22, "protocol": "tcp", "count": 1}],
            "steps": [{"step": "host", "status": "done", "detail": "", "done": None, "total": None, "unit": "steps"}],
            "error": None,
        }

    async def start(self) -> None:
        self._do("start")

    async def stop(self, timeout: float | None = None, *, stay: bool = False) -> None:
        self._do("stop", timeout)

    async def restart(self, timeout: float | None = None) -> None:
        self._do("restart", timeout)

    async def reset(self) -> None:
        self._do("reset")

    async def pause(self) -> None:
        self._do("pause")

    async def resume(self) -> None:
        self._do("resume")

    async def kill(self, *, stay: bool = False) -> None:
        self._do("kill")

    async def screenshot(self) -> bytes:
        self._do("screenshot")
        return PNG

    async def send_keys(self, keys: Sequence[str]) -> None:
        self._do("send_keys", *keys)

    async def guest_facts(self) -> dict[str, Any]:
        self._do("guest_facts")
        return {"available": True, "hostname": "demo", "interfaces": [{"name": "eth0", "mac": "52:54:00:00:00:01", "addresses": []}]}

    def metrics(self) -> dict[str, Any]:
        self._do("metrics")
        sample = {"time": 1.0, "cpu": 3.5, "memory": 1, "disk_read": 0, "disk_write": 0, "net_rx": 0, "net_tx": 0}
        return {"interval": 2, "samples": [sample]}

    def log_tail(self, name: str, size: int) -> bytes:
        self._do("log_tail", name, size)
        return b"a line\xff\n"[-size:]

    async def open_vnc(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self.vnc_socket is None:
            raise UsageError("no-screen", "there is no screen now")
        return await asyncio.open_unix_connection(self.vnc_socket)

    def attach_serial(self) -> FakeSerial:
        client = FakeSerial(b"tail of the log\r\n")
        self.serials.append(client)
        return client

    def _do(self, name: str, *arguments: Any) -> None:
        self.calls.append((name, *arguments))
        if name in self.failures:
            raise self.failures[name]


class Browser:
    """A client of the viewer port that sends what a browser sends; ``base`` is the console's URL without the last slash."""

    def __init__(self, session: aiohttp.ClientSession, base: str) -> None:
        self.session = session
        self.base = base

    @property
    def origin(self) -> dict[str, str]:
        return {"Origin": self.base}

    def get(self, path: str, **options: Any) -> Any:
        return self.session.get(self.base + path, **options)

    def post(self, path: str, **options: Any) -> Any:
        return self.session.post(self.base + path, **{"headers": self.origin, **options})

    def ws(self, path: str, **options: Any) -> Any:
        return self.session.ws_connect(self.base + path, **{"headers": self.origin, "max_msg_size": 0, **options})


@pytest.fixture
def backend() -> FakeBackend:
    return FakeBackend()


@pytest.fixture
def static(tmp_path: Path) -> Path:
    folder = tmp_path / "static"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>console</title>")
    (folder / "assets" / "index-B7x9aQ2c.js").write_text("export {};")
    (folder / "assets" / "index-B7x9aQ2c.js.gz").write_bytes(b"\x1f\x8b\x08")
    (folder / "favicon.svg").write_text("<svg/>")
    (folder / "odd.bin").write_bytes(b"\0")
    (tmp_path / "outside.txt").write_text("secret")
    (folder / "link.txt").symlink_to(tmp_path / "outside.txt")
    return folder


@pytest.fixture
async def server(backend: FakeBackend, tmp_path: Path, static: Path) -> AsyncIterator[ConsoleServer]:
    console = ConsoleServer(
        backend,
        socket_path=tmp_path / "api.sock",
        secrets_path=tmp_path / "secrets.json",
        viewer=Viewer(port=0, names=("desk.example",)),
        static=static,
    )
    await console.start()
    yield console
    await console.stop()


async def _open_browser(server: ConsoleServer, *, view_only: bool | None) -> Browser:
    assert server.viewer_url
    # Cookies for IP addresses are dropped by default.
    session = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
    if view_only is not None:
        async with session.get(server.new_link(view_only)) as answer:
            assert answer.status == 200
    return Browser(session, server.viewer_url.rstrip("/"))


@pytest.fixture
async def stranger(server: ConsoleServer) -> AsyncIterator[Browser]:
    browser = await _open_browser(server, view_only=None)
    yield browser
    await browser.session.close()


@pytest.fixture
async def owner(server: ConsoleServer) -> AsyncIterator[Browser]:
    browser = await _open_browser(server, view_only=False)
    yield browser
    await browser.session.close()


@pytest.fixture
async def watcher(server: ConsoleServer) -> AsyncIterator[Browser]:
    browser = await _open_browser(server, view_only=True)
    yield browser
    await browser.session.close()


@pytest.fixture
async def local(server: ConsoleServer, tmp_path: Path) -> AsyncIterator[aiohttp.ClientSession]:
    connector = aiohttp.UnixConnector(str(tmp_path / "api.sock"))
    async with aiohttp.ClientSession("http://localhost", connector=connector) as session:
        yield session


@pytest.fixture
def token() -> Any:
    return lambda url: re.search(r"token=([\w-]+)$", url)[1]  # type: ignore[index]


@pytest.fixture
def errors() -> dict[str, tuple[Exception, int]]:
    return {
        "wrong state": (UsageError("wrong-state", "it does not run"), 409),
        "usage": (UsageError("no-such-key", "no"), 400),
        "deadline": (DeadlineError("late", "no"), 504),
        "qemu": (QemuError("qmp", "no"), 502),
        "unexpected": (RuntimeError("/secret/path"), 500),
    }
