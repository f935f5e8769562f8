"""Containers of the image quarterdeck/machine with the tiny guest in them: the log, the health, the console and the guest itself."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from tests.engines.image import MACHINE_IMAGE
from tests.engines.place import remove
from tests.tiny_guest import READY, tiny_image

from quarterdeck.core.process import Completed

Engine = Callable[..., Completed]
PATIENCE = 120.0
SMALL = ("--env=RAM_SIZE=256M", "--env=CPU_CORES=1", "--env=BOOT_MODE=legacy", "--env=ACCEL=tcg")
"""What every guest of these tests is."""
CONFINED = ("--read-only", "--tmpfs=/run", "--tmpfs=/tmp", "--cap-drop=ALL", "--security-opt=no-new-privileges")
NOBODY = 12345
OWN_NETWORK = ("--cap-add=NET_ADMIN", "--device=/dev/net/tun")
SERVE = (
    "ip link set eth0 up; udhcpc -i eth0 -q -n -t 20 -T 1 -s /bin/leased >/dev/null 2>&1;"
    " mkdir -p /www; echo page of the guest >/www/index.html; httpd -p 80 -h /www"
)
"""What gives the guest its address and a page on port 80."""


def until(condition: Callable[[], Any], what: str) -> Any:
    """Return what ``condition`` returns as soon as that is true."""
    end = time.monotonic() + PATIENCE
    while not (value := condition()):
        assert time.monotonic() < end, f"it never came: {what}"
        time.sleep(0.2)
    return value


@dataclass(frozen=True)
class Guest:
    """The tiny guest's serial console, by the API of its supervisor."""

    socket: Path

    def say(self, line: str) -> None:
        """Type a line."""
        asyncio.run(self._typed(line, None))

    def sh(self, line: str) -> str:
        """Return what ``line`` prints in the guest."""
        mark = secrets.token_hex(4)
        begin, end = f"> begin-{mark}\r\n", f"> end-{mark}\r\n"
        said = asyncio.run(self._typed(f"sh echo begin-{mark}; {line}; echo; echo end-{mark}", end))
        return "\n".join(text[2:].strip() for text in said.split(begin)[-1].split(end)[0].splitlines() if text.startswith("> ")).strip()

    async def _typed(self, line: str, until: str | None) -> str:
        seen = ""
        async with (
            asyncio.timeout(PATIENCE),
            aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(self.socket))) as session,
            session.ws_connect("http://localhost/api/v1/serial") as socket,
        ):
            await socket.send_bytes(line.encode() + b"\n")
            while until is not None and until not in seen:
                seen += (await socket.receive_bytes()).decode(errors="replace")
        return seen


class Box:
    """One container; its storage is a folder of this host."""

    def __init__(self, engine: Engine, name: str, storage: Path) -> None:
        self.engine, self.name, self.storage = engine, name, storage

    def run(self, *options: str | Path, boot: bool = True) -> None:
        """Start it; unless ``boot`` is false the tiny guest's disk is its /boot.img."""
        image = (f"--volume={tiny_image()}:/boot.img:ro",) if boot else ()
        self.engine("run", "--detach", f"--name={self.name}", f"--volume={self.storage}:/storage", *SMALL, *image, *options, MACHINE_IMAGE)

    def logs(self) -> str:
        done = self.engine("logs", self.name, check=False)
        return (done.stdout + done.stderr).decode(errors="replace")

    def until_logged(self, text: str, *, times: int = 1) -> str:
        """Return the log as soon as it has ``text`` so many times."""

        def said() -> str:
            log = self.logs()
            return log if log.count(text) >= times else ""

        try:
            return str(until(said, text))
        except AssertionError:
            print(self.logs())  # shown with the failure
            raise

    def until_ready(self, *, times: int = 1) -> str:
        """Wait until the guest obeys and its agent answers, for the given time of its life."""
        self.until_logged(READY, times=times)
        return self.until_logged("is ready.", times=times)

    def inspect(self, words: str) -> str:
        return self.engine("inspect", "--format", words, self.name).text.strip()

    def exit_code(self) -> int:
        """Return the exit code once the container ended."""
        until(lambda: self.inspect("{{.State.Status}}") == "exited", f"the end of {self.name}")
        return int(self.inspect("{{.State.ExitCode}}"))

    def exec(self, *words: str, check: bool = True) -> Completed:
        return self.engine("exec", self.name, *words, check=check)

    def machine(self) -> Path:
        """Return the folder of its only machine."""
        (folder,) = (self.storage / "machines").iterdir()
        return folder

    @property
    def guest(self) -> Guest:
        """The guest's serial console."""
        return Guest(self.machine() / "api.sock")

    def say(self, line: str) -> None:
        self.guest.say(line)

    def sh(self, line: str) -> str:
        return self.guest.sh(line)

    def login_path(self) -> str:
        """Return the path of the newest one-time link in the log."""
        return str(re.findall(r"http://127\.0\.0\.1:8006(/login\?token=\S+)", self.logs())[-1])

    def processes(self) -> list[dict[str, str]]:
        """Return Uid, CapEff, NoNewPrivs and so on of each process of the container, and ``Name``."""
        script = "cat $(ls -d /proc/[0-9]* | sed 's,$,/status,') 2>/dev/null"
        text = self.exec("sh", "-c", script, check=False).text
        rows: list[dict[str, str]] = []
        for line in text.splitlines():
            name, _, value = line.partition(":")
            if name == "Name":
                rows.append({})
            rows[-1][name] = value.strip()
        return rows

    def qemu(self) -> dict[str, str]:
        return next(row for row in self.processes() if row["Name"].startswith("qemu-system"))


class ContainerLab:
    """Makes boxes with an engine and throws them away."""

    def __init__(self, engine: Engine, home: Path) -> None:
        self.engine, self.home = engine, home

    @contextmanager
    def box(self, name: str, *options: str | Path, owner: int = 0, boot: bool = True) -> Iterator[Box]:
        """A container, started with ``options``; its storage belongs to ``owner``. Its log is printed at the end."""
        made = self.prepare(name, owner=owner)
        try:
            made.run(*options, boot=boot)
            yield made
        finally:
            print(f"--- {name}: {self.engine('inspect', '--format', '{{json .State}}', name, check=False).text}{made.logs()}")
            self.engine("rm", "--force", name, check=False)

    def prepare(self, name: str, *, owner: int = 0) -> Box:
        """Return a container that is not made yet, with its empty storage."""
        storage = self.home / name
        storage.mkdir()
        if owner:
            os.chown(storage, owner, owner)
        return Box(self.engine, name, storage)

    def refused(self, *options: str) -> tuple[int, str]:
        """Return exit code and words of a container that does not come up."""
        done = self.engine("run", "--rm", *SMALL, f"--volume={tiny_image()}:/boot.img:ro", *options, MACHINE_IMAGE, check=False)
        return done.returncode, (done.stdout + done.stderr).decode(errors="replace")


@contextmanager
def container_lab(engine: Engine) -> Iterator[ContainerLab]:
    """A lab with short paths, since sockets are below them."""
    home = Path(tempfile.mkdtemp(prefix="qd-box-", dir="/tmp"))
    home.chmod(0o755)
    try:
        yield ContainerLab(engine, home)
    finally:
        remove(home)
