"""What ``auto`` becomes, which addresses networks get, and what is said of ports."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from quarterdeck.core.arch import find_arch
from quarterdeck.core.images import ImageFile
from quarterdeck.core.process import Identity
from quarterdeck.errors import HostError, QuarterdeckError, UsageError
from quarterdeck.host.facts import HostFacts, KvmFacts, NetworkFacts, QemuFacts, Verdict
from quarterdeck.machine.assets import LocalAssets
from quarterdeck.machine.compose import compose
from quarterdeck.machine.layout import MachineLayout
from quarterdeck.machine.load import load_spec
from quarterdeck.machine.resolve import resolve
from quarterdeck.machine.resolved import KeptPorts, OwnNetwork, ResolvedMachine
from quarterdeck.machine.spec import NetworkMode

YES, NO = Verdict(True, "it was tried"), Verdict(False, "it lacks NET_ADMIN", "give it --cap-add NET_ADMIN")
CONTAINER = NetworkFacts(
    container="docker", shared=False, tap=YES, passt=YES, macvtap=YES, forwarding4=YES, forwarding6=YES, uplink="eth0", mtu=1500, ipv6=True
)
TOOLS = (("passt", "/usr/bin/passt"), ("nft", "/usr/sbin/nft"), ("dnsmasq", "/usr/sbin/dnsmasq"))


def host(network: NetworkFacts = CONTAINER, **changes: Any) -> HostFacts:
    facts = HostFacts(
        arch="x86_64",
        kernel="6.1",
        cpus=8,
        memory=16 << 30,
        qemu=QemuFacts("/usr/bin/qemu-system-x86_64", (7, 2, 0)),
        kvm=KvmFacts(False, "no"),
        firmware=find_arch("x86_64").firmware,
        tools=TOOLS,
        network=network,
    )
    return replace(facts, **changes)


def machine(cards: str = "[{}]", facts: HostFacts | None = None, more: str = "") -> ResolvedMachine:
    spec = load_spec(f"networks: {cards}\n{more}", "x")
    disk = ImageFile("/images/system.qcow2", "qcow2", 2 << 30)
    return resolve(spec, facts or host(), LocalAssets(boot_disk=disk), MachineLayout(Path("/srv/qd/machines/test")))


def own(resolved: ResolvedMachine, index: int = 0) -> OwnNetwork:
    network = resolved.networks[index].own
    assert network is not None
    return network


def said(resolved: ResolvedMachine, what: str) -> str:
    return " | ".join(f"{choice.value}: {choice.why}" for choice in resolved.choices if choice.what == what)


def refusal(kind: type[QuarterdeckError], cards: str, facts: HostFacts | None = None, more: str = "") -> QuarterdeckError:
    with pytest.raises(kind) as caught:
        machine(cards, facts, more)
    return caught.value


@pytest.mark.parametrize(
    ("changes", "mode"),
    [
        ({}, NetworkMode.TAP),
        ({"tap": NO}, NetworkMode.PASST),
        ({"tap": NO, "passt": NO}, NetworkMode.USER),
        ({"shared": True}, NetworkMode.PASST),
        ({"container": ""}, NetworkMode.PASST),
        ({"container": "", "passt": NO}, NetworkMode.USER),
        ({"forwarding4": NO}, NetworkMode.PASST),
    ],
)
def test_auto_takes_the_best_that_works(changes: dict[str, Any], mode: NetworkMode) -> None:
    assert machine(facts=host(replace(CONTAINER, **changes))).networks[0].mode is mode


def test_auto_says_what_would_make_it_better() -> None:
    assert "faster and with every port: give it --cap-add NET_ADMIN" in said(machine(facts=host(replace(CONTAINER, tap=NO))), "network0")
    assert "apt install dnsmasq-base" in said(machine(facts=host(tools=TOOLS[:2])), "network0")


def test_auto_without_passt_leads_no_ports_of_ipv6_addresses() -> None:
    refusal(UsageError, "[{ports: ['[::]:80:80']}]", host(replace(CONTAINER, tap=NO, passt=NO)))


@pytest.mark.parametrize(
    ("mode", "changes"), [("tap", {"tap": NO}), ("tap", {"forwarding4": NO}), ("macvtap", {"macvtap": NO}), ("macvtap", {"uplink": ""})]
)
def test_a_mode_that_is_asked_for_and_does_not_work_is_an_error(mode: str, changes: dict[str, Any]) -> None:
    assert refusal(HostError, f"[{{mode: {mode}}}]", host(replace(CONTAINER, **changes))).hint


def test_a_network_gets_addresses_that_are_free_and_stay() -> None:
    first = own(machine())
    assert own(machine()) == first
    taken = replace(CONTAINER, routes=((f"{first.gateway4.rpartition('.')[0]}.0/24", "eth1"),))
    assert own(machine(facts=host(taken))).guest4 != first.guest4


def test_routes_of_the_machines_own_device_are_free() -> None:
    resolved = machine()
    network = f"{own(resolved).gateway4.rpartition('.')[0]}.0/24"
    again = replace(CONTAINER, routes=((network, resolved.networks[0].link),))
    assert own(machine(facts=host(again))) == own(resolved)


def test_several_cards_have_several_networks() -> None:
    resolved = machine("[{}, {}, {}]")
    assert len({own(resolved, index).gateway4 for index in range(3)} | {own(resolved, index).guest6 for index in range(3)}) == 6
    assert len({card.link for card in resolved.networks}) == 3
    assert all(len(card.link) < 16 for card in resolved.networks)


def test_the_address_can_be_chosen_where_it_is_free() -> None:
    network = own(machine("[{address: 10.1.2.1/24}]"))
    assert (network.guest4, network.gateway4) == ("10.1.2.1", "10.1.2.2")
    refusal(UsageError, "[{address: 10.1.2.3/24}]", host(replace(CONTAINER, routes=(("10.0.0.0/8", "tun0"),))))


def test_no_network_at_all_may_be_free() -> None:
    everything = replace(CONTAINER, routes=(("0.0.0.0/1", "tun0"), ("128.0.0.0/1", "tun0")))
    refusal(HostError, "[{}]", host(everything))


@pytest.mark.parametrize("changes", [{"ipv6": False}, {"forwarding6": NO}])
def test_without_ipv6_there_is_none_and_the_reason_is_told(changes: dict[str, Any]) -> None:
    resolved = machine(facts=host(replace(CONTAINER, **changes)))
    assert own(resolved).guest6 == ""
    assert said(resolved, "IPv6").startswith("none: ")


def test_forward_all_keeps_the_viewers_port() -> None:
    assert machine("[{forward_all: true, keep: ['22']}]").networks[0].keep == (KeptPorts(22), KeptPorts(8006, 1, "tcp"))
    assert machine("[{forward_all: true}]", more="viewer: {port: 8100}").networks[0].keep == (KeptPorts(8100, 1, "tcp"),)
    assert machine("[{forward_all: true}]", more="viewer: {enabled: false}").networks[0].keep == ()
    assert machine("[{forward_all: true, keep: [8000-8010]}]").networks[0].keep == (KeptPorts(8000, 11),)
    refusal(UsageError, "[{forward_all: true}]", more="viewer: {port: 0}")


def test_forward_all_keeps_the_port_of_spice() -> None:
    spice = "display: {kind: spice, spice_port: 5930}\nviewer: {enabled: false}"
    assert machine("[{forward_all: true}]", more=spice).networks[0].keep == (KeptPorts(5930, 1, "tcp"),)


def test_forward_all_is_ignored_with_its_reason_where_it_cannot_be() -> None:
    resolved = machine("[{mode: user, forward_all: true}]")
    assert not resolved.networks[0].forward_all
    assert said(resolved, "forward_all").startswith("ignored: the mode 'user' leads only")


def test_the_way_of_a_port_is_told_from_end_to_end() -> None:
    told = said(machine("[{ports: ['0.0.0.0:8080:80']}]"), "port")
    assert "host port (published by -p 8080:8080) -> container port 8080/tcp on every IPv4 address -> nftables -> guest 172." in told


def test_a_port_of_the_loopback_address_is_said_to_stay_inside() -> None:
    assert "published ports need 0.0.0.0:22" in said(machine("[{ports: ['22:22']}]"), "port")


def test_ports_that_lead_to_the_same_place_are_told() -> None:
    told = said(machine("[{forward_all: true, ports: ['0.0.0.0:80:80', '0.0.0.0:8080:80']}]"), "port")
    assert "0.0.0.0:8080:80 leads there too; 'forward_all' leads it already" in told


def test_a_tap_network_does_not_take_the_viewers_port() -> None:
    refusal(UsageError, "[{ports: ['127.0.0.1:8006:80']}]")
    machine("[{ports: ['127.0.0.1:8006:80']}]", more="viewer: {enabled: false}")


@pytest.mark.parametrize("address", ["[::1]", "[::]"])
def test_ipv6_ports_need_an_ipv6_address_of_the_guest(address: str) -> None:
    refusal(UsageError, f"[{{ports: ['{address}:80:80']}}]", host(replace(CONTAINER, ipv6=address == "[::1]")))


def test_ports_that_qemus_user_may_not_open_are_an_error_before_the_start() -> None:
    low = host(replace(CONTAINER, lowest_port=1024, tap=NO))
    assert "ip_unprivileged_port_start=0" in refusal(HostError, "[{ports: ['0.0.0.0:80:80']}]", low).hint
    machine("[{ports: ['0.0.0.0:80:80']}]", host(replace(CONTAINER, lowest_port=1024)))


@pytest.mark.parametrize(("uplink", "mtu"), [(1500, None), (1450, 1450), (65520, 9000), (0, None)])
def test_the_mtu_is_that_of_the_way_out(uplink: int, mtu: int | None) -> None:
    assert machine(facts=host(replace(CONTAINER, mtu=uplink))).networks[0].mtu == mtu


def test_qemu_gets_devices_as_descriptors_and_people_see_their_names() -> None:
    resolved = machine("[{}, {mode: macvtap}]", host(replace(CONTAINER, vhost=True)))
    words, shown = " ".join(compose(resolved).argv), " ".join(compose(resolved, descriptors=False).argv)
    assert all(f'"fd":"quarterdeck-fd-net{index}","vhost":true,"vhostfd":"quarterdeck-vhost-net{index}"' in words for index in range(2))
    assert all(f'"ifname":"{card.link}"' in shown for card in resolved.networks)


def test_dnsmasq_gives_itself_an_unprivileged_user_where_there_is_one() -> None:
    (alone,), (with_users,) = compose(machine()).sidecars, compose(machine(facts=host(identity=Identity(7, 7)))).sidecars
    assert ("--user=root" in alone.argv, "--user=nobody" in with_users.argv, alone.privileged) == (True, True, True)
