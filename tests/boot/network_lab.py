"""What the tests of networks share: a world, a container's network namespace beside it, and machines in that.

The world is 10.77.0.3 and fd77::3 (and the gateway, which passt makes an address of the container itself for its guests), the container
10.77.0.2 and fd77::2; a cable is between them. The container looks like one of podman's, and its only name server, as with Docker, is an
address of 127.0.0.0/8 that nobody outside can ask. /proc/sys is read-only, as engines have it; IPv6 may be passed on, as by --sysctl.
"""

import asyncio
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from tests.engines.daemon import children, daemon, is_root
from tests.tiny_guest import tiny_image

from quarterdeck.core.handle import ProcessHandle
from quarterdeck.core.process import Completed, run
from quarterdeck.machine.layout import MachineLayout
from quarterdeck.machine.spec import Accel, MachineSpec, NetworkSpec, ViewerSpec
from quarterdeck.runtime import takeover
from quarterdeck.runtime.client import SupervisorClient
from quarterdeck.runtime.spawn import spawn_supervisor
from quarterdeck.runtime.store import MachineStore

PATIENCE = 60.0
WORLD4, WORLD6, HERE4, HERE6, GATEWAY4, GATEWAY6 = "10.77.0.3", "fd77::3", "10.77.0.2", "fd77::2", "10.77.0.1", "fd77::1"
_SCRIPT = Path(__file__).with_name("network_world.py")
_WORLD = f"""
ip link set lo up && ip link add name lan type veth peer name eth0 && ip addr add {GATEWAY4}/24 dev lan
ip addr add {WORLD4}/24 dev lan && ip addr add {GATEWAY6}/64 dev lan nodad
ip addr add {WORLD6}/64 dev lan nodad && ip link set lan up && : > "$0/world" && exec sleep infinity
"""
_CONTAINER = f"""
mount --make-rprivate / && mount -t tmpfs tmpfs /run && : > /run/.containerenv && mount -t sysfs sysfs /sys
echo nameserver 127.0.0.11 > "$0/resolv.conf" && mount --bind "$0/resolv.conf" "$(readlink -f /etc/resolv.conf)" || exit 1
ip link set lo up; : > "$0/container"; until [ -e /sys/class/net/eth0 ]; do sleep 0.02; done
ip addr add {HERE4}/24 dev eth0 && ip addr add {HERE6}/64 dev eth0 nodad && ip link set eth0 up
ip route add default via {GATEWAY4} && ip -6 route add default via {GATEWAY6}
nft add table inet somebody-elses && echo 1 > /proc/sys/net/ipv6/conf/all/forwarding
mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys && : > "$0/connected" && exec sleep infinity
"""


def missing() -> str:
    """Return why this host cannot have such a world; empty when it can."""
    if not is_root():
        return "network namespaces with names of their own need root"
    for program in ("nft", "dnsmasq", "ip", "passt"):
        if shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") is None:
            return f"{program} is not installed"
    return ""


@dataclass(frozen=True)
class Place:
    """A network namespace, with mounts of its own, that a process holds."""

    pid: int

    def argv(self, *words: str) -> list[str]:
        return ["nsenter", f"--target={self.pid}", "--net", "--mount", "--uts", "--", *words]

    def run(self, *words: str, check: bool = True, input: bytes | None = None) -> Completed:
        return run(self.argv(*words), check=check, timeout=PATIENCE, input=input)

    def fetch(self, url: str) -> str:
        """Return what busybox's wget gets; empty when it gets nothing."""
        return self.run("timeout", "5", "busybox", "wget", "-q", "-O", "-", url, check=False).text.strip()

    def say(self, address: str, port: int, words: str) -> str:
        """Send a datagram and return the answer; empty when none comes."""
        program = (
            "import socket, sys; a = sys.argv; s = socket.socket(socket.AF_INET6 if ':' in a[1] else socket.AF_INET, socket.SOCK_DGRAM);"
            "s.settimeout(5); s.sendto(a[3].encode(), (a[1], int(a[2]))); print(s.recv(999).decode())"
        )
        return self.run(sys.executable, "-c", program, address, str(port), words, check=False).text.strip()


class Guest:
    """The tiny guest's serial console."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._seen = ""

    async def until(self, text: str) -> str:
        """Return what the guest writes until ``text``."""
        async with asyncio.timeout(PATIENCE):
            while text not in self._seen:
                self._seen += (await self._socket.receive_bytes()).decode(errors="replace")
        before, _, self._seen = self._seen.partition(text)
        return before

    async def sh(self, line: str) -> str:
        """Return what ``line`` prints in the guest."""
        await self._socket.send_bytes(f"sh {line}\n".encode())
        said = await self.until("> ended")
        return "\n".join(line[2:].strip() for line in said.splitlines() if line.startswith("> "))


class Machine:
    """One machine in the container."""

    def __init__(self, store: MachineStore, layout: MachineLayout, place: Place) -> None:
        self.store, self.layout, self._place = store, layout, place

    @contextmanager
    def supervised(self) -> Iterator[tuple[ProcessHandle, SupervisorClient]]:
        """Run it; if it still runs when the block ends, it is killed with QEMU and helpers."""
        words = self._place.argv(sys.executable, "-m", "quarterdeck.cli.supervise", self.layout.root.name)
        supervisor = spawn_supervisor(self.layout, words)
        try:
            yield supervisor, SupervisorClient(self.layout.api_socket)
        finally:
            for process in (supervisor, *takeover.strays(self.layout)) if supervisor.alive() else ():
                process.send(signal.SIGKILL)
                process.wait_sync(PATIENCE)

    @property
    def state(self) -> dict[str, Any]:
        read: dict[str, Any] = json.loads(self.layout.state.read_bytes())
        return read

    async def until(self, *states: str) -> None:
        for _ in range(int(PATIENCE / 0.05)):
            if self.store.get(self.layout.root.name).state in states:
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"it is {self.state}, not {states}: {self.layout.supervisor_log.read_text()[-2000:]}")

    @asynccontextmanager
    async def guest(self) -> AsyncIterator[Guest]:
        async with (
            aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(self.layout.api_socket))) as session,
            session.ws_connect("http://localhost/api/v1/serial") as socket,
        ):
            yield Guest(socket)


async def stop(supervisor: ProcessHandle, client: SupervisorClient) -> None:
    """Pull the plug, and wait until nothing is left."""
    await asyncio.to_thread(client.request, "POST", "/machine/kill")
    assert await asyncio.to_thread(supervisor.wait_sync, PATIENCE)


@dataclass(frozen=True)
class Lab:
    """The world, the container, and a home for machines."""

    world: Place
    container: Place
    home: Path

    def machine(self, name: str, *cards: NetworkSpec) -> Machine:
        store = MachineStore(self.home / "machines")
        spec = MachineSpec(
            name=name,
            boot=str(tiny_image()),
            arch="x86_64",
            memory=256 << 20,
            cpus=1,
            accel=Accel.TCG,
            networks=cards,
            viewer=ViewerSpec(address="0.0.0.0", port=8006),
        )
        return Machine(store, store.create(spec), self.container)

    def kernel(self) -> str:
        """Return all that networks of machines could change in the container."""
        asked = (("nft", "list", "ruleset"), ("ip", "-br", "addr"), ("ip", "route"), ("ip", "-6", "route"))
        switches = self.container.run("sh", "-c", "grep . /proc/sys/net/ipv[46]/conf/*/forwarding").text
        return "\n".join([*(self.container.run(*words).text for words in asked), switches])


@contextmanager
def lab() -> Iterator[Lab]:
    """Hold the world until the block ends."""
    home = Path(tempfile.mkdtemp(prefix="qdnet", dir="/tmp"))
    home.chmod(0o755)
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        patch.setenv("QUARTERDECK_HOME", str(home))
        stack.callback(shutil.rmtree, home)
        stack.callback(_end_all, home / "machines")
        world = stack.enter_context(_held(home, "world", _WORLD))
        container = stack.enter_context(_held(home, "container", _CONTAINER))
        world.run("ip", "link", "set", "eth0", "netns", str(container.pid))
        _until(home / "connected")
        stack.enter_context(_serving(home, world, WORLD4, WORLD6))
        stack.enter_context(_serving(home, container, "dns", "127.0.0.11"))
        yield Lab(world, container, home)


def _end_all(machines: Path) -> None:
    """End what a test that failed left running."""
    for folder in machines.glob("*"):
        for process in takeover.strays(MachineLayout(folder)):
            process.send(signal.SIGKILL)
            process.wait_sync(PATIENCE)


@contextmanager
def _held(home: Path, name: str, script: str) -> Iterator[Place]:
    words = ["unshare", "--net", "--mount", "--uts", "--fork", "--kill-child", "sh", "-c", script, str(home)]
    with daemon(words, log=home / f"{name}.log", ready=lambda _: (home / name).exists(), orphaned="KILL") as outer:
        pid = children(outer.pid)[0]
        try:
            yield Place(pid)
        finally:
            outer.send(9)  # it ignores what asks it to end, and its child dies with it


@contextmanager
def _serving(home: Path, place: Place, *words: str) -> Iterator[None]:
    log = home / f"serving-{place.pid}.log"
    with daemon(
        place.argv(sys.executable, "-u", str(_SCRIPT), *words), log=log, ready=lambda _: "ready" in log.read_text(), orphaned="KILL"
    ):
        yield


def _until(path: Path) -> None:
    run(["timeout", str(int(PATIENCE)), "sh", "-c", 'until [ -e "$0" ]; do sleep 0.02; done', str(path)])
