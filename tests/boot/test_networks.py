"""Guests on every kind of network, in a container's network namespace: to the world, from the world, and nothing left behind."""

import asyncio
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.boot.network_lab import HERE4, HERE6, WORLD4, WORLD6, Guest, Lab, Machine, Place, lab, missing, stop
from tests.boot.network_world import BIG
from tests.tiny_guest import READY

from quarterdeck.core.handle import ProcessHandle
from quarterdeck.machine.spec import NetworkMode, NetworkSpec

pytestmark = pytest.mark.boot
_DHCP = "ip link set eth0 up; udhcpc -i eth0 -q -n -t 20 -T 1 -s /bin/leased"
_SERVE = "mkdir -p /www; echo page of the guest > /www/index.html; httpd -p 80 -h /www; httpd -p 9999 -h /www"
_LOST_DATAGRAMS = "grep Udp: /proc/net/snmp | tail -1 | cut -d' ' -f3"
"""Datagrams that reached the guest at a port where nobody listens."""


@pytest.fixture(name="lab", scope="module")
def _lab() -> Iterator[Lab]:
    if why := missing():
        pytest.skip(why)
    with lab() as made:
        yield made


async def began(guest: Guest) -> None:
    """Wait until the guest obeys, has an address and serves pages."""
    await guest.until(READY)
    assert "ended" not in await guest.sh(_DHCP)
    await guest.sh(_SERVE)


async def read(place: Place, url: str) -> str:
    return await asyncio.to_thread(place.fetch, url)


async def reaches_the_world(guest: Guest) -> None:
    assert f"saw {HERE4}" in await guest.sh(f"timeout 9 wget -q -O - http://{WORLD4}/")
    assert WORLD4 in await guest.sh("nslookup -type=a world.test")
    assert str(BIG) in await guest.sh(f"timeout 30 wget -q -O - http://{WORLD4}/big | wc -c")


async def datagrams_arrive(guest: Guest, place: Place, *, address: str, port: int) -> None:
    before = int(await guest.sh(_LOST_DATAGRAMS))
    await asyncio.to_thread(place.say, address, port, "hello")
    assert int(await guest.sh(_LOST_DATAGRAMS)) > before


async def killed(process: ProcessHandle) -> None:
    process.send(signal.SIGKILL)
    await process.wait()


def qemu_of(machine: Machine) -> ProcessHandle:
    process = ProcessHandle.find(machine.state["qemu"]["pid"])
    assert process is not None
    return process


def status_of(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


async def test_a_network_of_its_own_is_what_auto_takes_in_a_container(lab):
    before = lab.kernel()
    card = NetworkSpec(
        forward_all=True, keep=("2222",), ports=("0.0.0.0:8080:80", "127.0.0.1:8081:80", "0.0.0.0:5300-5301:6300-6301/udp", "[::]:8082:80")
    )
    machine = lab.machine("own", card)
    with machine.supervised() as (supervisor, _):
        async with machine.guest() as guest:
            await began(guest)
            await reaches_the_world(guest)
            await leads_ports(lab, guest)
            await speaks_ipv6(lab, guest)
            await is_confined(lab, guest)
        qemu = status_of(qemu_of(machine).pid)
        assert (int(qemu["CapEff"], 16), qemu["Uid"].split()[0] != "0") == (0, True)
        await killed(supervisor)
    assert await read(lab.world, f"http://{HERE4}:8080/") == "page of the guest"
    with machine.supervised() as (supervisor, client):
        await machine.until("running", "ready")
        assert await read(lab.world, f"http://{HERE4}:9999/") == "page of the guest"
        await stop(supervisor, client)
    assert lab.kernel() == before
    assert not machine.layout.network_journal.exists()
    await killed_both_leave_nothing(lab, machine, before)


async def leads_ports(lab: Lab, guest: Guest) -> None:
    container, world = lab.container, lab.world
    for url in (f"http://{HERE4}:8080/", f"http://{HERE4}:9999/"):
        assert await read(world, url) == "page of the guest"
    for url in ("http://127.0.0.1:8080/", "http://127.0.0.1:8081/", f"http://{HERE4}:8080/", f"http://{HERE4}:9999/"):
        assert await read(container, url) == "page of the guest"
    await datagrams_arrive(guest, world, address=HERE4, port=5301)
    await datagrams_arrive(guest, world, address=HERE4, port=7070)
    listening = await asyncio.create_subprocess_exec(*container.argv("busybox", "nc", "-ll", "-p", "2222", "-e", "/bin/echo", "kept"))
    try:
        assert "kept" in await answer(world, 2222, "")
    finally:
        listening.kill()
        await listening.wait()
    assert (await answer(world, 8006, "GET / HTTP/1.0\r\n\r\n")).startswith("HTTP/1."), "the viewer keeps its port"


async def answer(place: Place, port: int, words: str) -> str:
    """Return what the container says on ``port``, once it listens there."""
    for _ in range(50):
        done = await asyncio.to_thread(place.run, "busybox", "nc", "-w", "3", HERE4, str(port), input=words.encode(), check=False)
        if done.text:
            return done.text
        await asyncio.sleep(0.1)
    return ""


async def speaks_ipv6(lab: Lab, guest: Guest) -> None:
    """The tiny guest has no DHCPv6 client, so it is given the address that one would have got."""
    address = ""
    for _ in range(30):
        address = await guest.sh("ip -6 addr show dev eth0 scope global | grep inet6 | cut -d/ -f1 | sed s/.*inet6.//")
        if address.startswith("fd"):
            break
        await asyncio.sleep(1)
    assert address.startswith("fd"), "no router advertisement came"
    await guest.sh(f"ip -6 addr add {address.split(':5')[0] if '::' in address else ':'.join(address.split(':')[:4])}::2/64 dev eth0")
    assert f"saw {HERE6}" in await guest.sh(f"timeout 9 wget -q -O - http://[{WORLD6}]/")
    assert WORLD6 in await guest.sh("nslookup -type=aaaa world.test")
    assert await read(lab.world, f"http://[{HERE6}]:8082/") == "page of the guest"


async def is_confined(lab: Lab, guest: Guest) -> None:
    """It does not reach what listens on the container's loopback, and there is one table more than before."""
    gateway = await guest.sh("ip route | grep default | cut -d' ' -f3")
    await guest.sh("ip route add 127.0.0.53/32 via " + gateway)
    assert "saw" not in await guest.sh("timeout 2 wget -q -O - http://127.0.0.53:53/")
    tables = lab.container.run("nft", "list", "tables").text.split("\n")
    assert [line for line in tables if line and "somebody" not in line] == ["table inet quarterdeck_own"]
    processes = lab.container.run("ps", "-wweo", "user,args").text.splitlines()
    mine = [line.split() for line in processes if "dnsmasq" in line and str(lab.home) in line]
    assert [words[0] for words in mine] == ["nobody"]


async def killed_both_leave_nothing(lab: Lab, machine: Machine, before: str) -> None:
    with machine.supervised() as (supervisor, _):
        await machine.until("running", "ready")
        await killed(supervisor)
    await killed(qemu_of(machine))
    assert lab.kernel() != before
    with machine.supervised() as (supervisor, client):
        await machine.until("running", "ready")
        await stop(supervisor, client)
    assert lab.kernel() == before


@pytest.mark.parametrize("mode", [NetworkMode.PASST, NetworkMode.USER])
async def test_networks_without_any_privilege(lab, mode):
    before = lab.kernel()
    machine = lab.machine(str(mode), NetworkSpec(mode=mode, ports=("0.0.0.0:8080:80", "0.0.0.0:5300:6300/udp")))
    with machine.supervised() as (supervisor, client):
        async with machine.guest() as guest:
            await began(guest)
            await reaches_the_world(guest)
            assert await read(lab.world, f"http://{HERE4}:8080/") == "page of the guest"
            await datagrams_arrive(guest, lab.world, address=HERE4, port=5300)
            assert await by_ipv6(guest)
        assert lab.kernel() == before
        await stop(supervisor, client)


async def by_ipv6(guest: Guest) -> bool:
    """Whether the guest reaches the world so, once it has heard a router."""
    for _ in range(20):
        if f"saw {HERE6}" in await guest.sh(f"timeout 3 wget -q -O - http://[{WORLD6}]/"):
            return True
        await asyncio.sleep(1)
    return False


async def test_macvtap_gives_the_guest_an_address_beside_the_host(lab):
    before = lab.kernel()
    machine = lab.machine("beside", NetworkSpec(mode=NetworkMode.MACVTAP))
    with machine.supervised() as (supervisor, _):
        async with machine.guest() as guest:
            await guest.until(READY)
            await guest.sh("ip addr add 10.77.0.9/24 dev eth0; ip link set eth0 up; " + _SERVE)
            assert "saw 10.77.0.9" in await guest.sh(f"timeout 9 wget -q -O - http://{WORLD4}/")
            assert await read(lab.world, "http://10.77.0.9:9999/") == "page of the guest"
        await killed(supervisor)
    await killed(qemu_of(machine))
    assert lab.kernel() != before
    await asyncio.to_thread(lab.container.run, sys.executable, "-m", "quarterdeck.cli.main", "rm", "--yes", "beside")
    assert lab.kernel() == before
