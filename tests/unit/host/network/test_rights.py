import os

import pytest
from tests.unit.host.fake_host import FakeHost

from quarterdeck.host.network import rights


def has(host: FakeHost, *bits: int) -> None:
    host.write("/proc/self/status", f"Name:\tpython\nCapEff:\t{sum(1 << bit for bit in bits):016x}\n")


def refuse(handle: int) -> None:
    raise PermissionError(1, "Operation not permitted")


def test_a_tap_device_needs_the_right_and_the_device(host: FakeHost) -> None:
    has(host)
    verdict = rights.tap(host.root, "docker", None)
    assert (verdict.works, verdict.hint) == (False, "start the container with --cap-add NET_ADMIN --device /dev/net/tun")
    has(host, rights.NET_ADMIN)
    assert rights.tap(host.root, "docker", None).reason == "there is no /dev/net/tun"
    host.write("/dev/net/tun")
    assert rights.tap(host.root, "docker", None).works


def test_a_right_of_another_user_namespace_is_found_to_be_none(host: FakeHost) -> None:
    has(host, rights.NET_ADMIN)
    host.write("/dev/net/tun")
    assert "Operation not permitted" in rights.tap(host.root, "docker", refuse).reason


def test_outside_of_containers_the_advice_is_root(host: FakeHost) -> None:
    has(host)
    assert (rights.tap(host.root, "", None).hint, rights.macvtap(host.root, "").hint) == ("run this as root", "run this as root")


def test_the_namespace_of_the_host_has_switches_that_others_lack(host: FakeHost) -> None:
    assert rights.is_shared(host.root), "nobody knows, so it may be"
    host.write("/proc/sys/net/core/somaxconn", "4096")
    assert not rights.is_shared(host.root)
    host.write("/proc/sys/net/core/netdev_max_backlog", "1000")
    assert rights.is_shared(host.root)


def test_forwarding_is_switched_on_in_other_namespaces_only(host: FakeHost) -> None:
    host.write("/proc/sys/net/ipv4/ip_forward", "0")
    assert rights.forwarding4(host.root, "docker", shared=False).works
    assert rights.forwarding4(host.root, "", shared=True).hint == "sysctl -w net.ipv4.ip_forward=1"
    host.write("/proc/sys/net/ipv4/ip_forward", "1")
    assert rights.forwarding4(host.root, "", shared=True).works


def test_ipv6_forwarding_needs_a_switch_that_can_be_written(host: FakeHost) -> None:
    assert rights.forwarding6(host.root, "docker", shared=False).hint.endswith("--sysctl net.ipv6.conf.all.forwarding=1")
    host.write("/proc/sys/net/ipv6/conf/all/forwarding", "0")
    assert rights.forwarding6(host.root, "docker", shared=False).works
    assert not rights.forwarding6(host.root, "", shared=True).works


@pytest.mark.parametrize(("bits", "other", "lowest"), [((), False, 80), ((10,), False, 0), ((10,), True, 80)])
def test_the_lowest_port_depends_on_who_listens(host: FakeHost, bits: tuple[int, ...], other: bool, lowest: int) -> None:
    has(host, *bits)
    host.write("/proc/sys/net/ipv4/ip_unprivileged_port_start", "80")
    assert rights.lowest_port(host.root, other_user=other) == lowest
    os.unlink(host.root / "proc/sys/net/ipv4/ip_unprivileged_port_start")
    assert rights.lowest_port(host.root, other_user=True) == 1024
