from tests.unit.host.fake_host import FakeHost

from quarterdeck.host.network import routes

HEAD = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
DEFAULT6 = "{:032x} 00 {:032x} 00 {:032x} {:08x} 00000001 00000000 {:08x} {:>8}\n"


def row(device: str, target: str, mask: str, *, flags: str = "0003", metric: int = 0) -> str:
    return f"{device}\t{target}\t0100000A\t{flags}\t0\t0\t{metric}\t{mask}\t0\t0\t0\n"


def test_networks_are_told_with_their_devices_and_defaults_are_not(host: FakeHost) -> None:
    host.write("/proc/net/route", HEAD + row("eth0", "00000000", "00000000") + row("eth0", "000011AC", "0000FFFF", flags="0001"))
    assert routes.routes4(host.root) == (("172.17.0.0/255.255.0.0", "eth0"),)


def test_the_uplink_has_the_smallest_metric(host: FakeHost) -> None:
    host.write("/proc/net/route", HEAD + row("wlan0", "00000000", "00000000", metric=600) + row("eth0", "00000000", "00000000", metric=100))
    assert routes.uplink(host.root) == "eth0"


def test_routes_that_are_down_do_not_count(host: FakeHost) -> None:
    host.write("/proc/net/route", HEAD + row("eth0", "00000000", "00000000", flags="0002"))
    assert routes.uplink(host.root) == ""


def test_ipv6_needs_a_way_out_and_an_address_on_it(host: FakeHost) -> None:
    host.write("/proc/net/ipv6_route", DEFAULT6.format(0, 0, 1, 1024, 0x3, "eth0") + DEFAULT6.format(0, 0, 0, 0xFFFFFFFF, 0x200200, "lo"))
    assert not routes.has_ipv6(host.root)
    host.write("/proc/net/if_inet6", "fe800000000000000000000000000001 02 40 20 80     eth0\n")
    assert not routes.has_ipv6(host.root)
    host.write("/proc/net/if_inet6", "fd000000000000000000000000000002 02 40 00 80     eth0\n")
    assert routes.has_ipv6(host.root)
    assert routes.uplink(host.root) == "eth0"


def test_a_host_that_shows_nothing_has_nothing(host: FakeHost) -> None:
    assert (routes.routes4(host.root), routes.uplink(host.root), routes.has_ipv6(host.root)) == ((), "", False)
    assert routes.mtu("no-such-device") == 0
