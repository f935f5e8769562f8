import pytest

from quarterdeck.machine.resolved import KeptPorts, OwnNetwork, PortForward, ResolvedNetwork
from quarterdeck.machine.spec import NetworkMode
from quarterdeck.runtime.network.rules import removal, ruleset, table_name

FOUR = OwnNetwork(gateway4="172.30.5.1", guest4="172.30.5.2", prefix4=24)
BOTH = OwnNetwork(gateway4="172.30.5.1", guest4="172.30.5.2", prefix4=24, gateway6="fd00:1::1", guest6="fd00:1::2")


def card(
    *ports: PortForward, own: OwnNetwork | None = FOUR, forward_all: bool = False, keep: tuple[KeptPorts, ...] = ()
) -> ResolvedNetwork:
    return ResolvedNetwork(
        id="net0",
        mode=NetworkMode.TAP,
        device="virtio-net-pci",
        mac="52:54:00:00:00:01",
        ports=ports,
        interface="",
        mtu=None,
        link="qd0-0",
        own=own,
        forward_all=forward_all,
        keep=keep,
    )


def chain(name: str, *cards: ResolvedNetwork) -> list[str]:
    """Return the rules of one chain."""
    text = ruleset("quarterdeck_x", cards).partition(f"chain {name} {{")[2].partition("\n\t}")[0]
    lines = [line.strip() for line in text.splitlines()]
    return [line for line in lines[2:] if line and line != "}"]


def translations(name: str, *cards: ResolvedNetwork) -> list[str]:
    return [line for line in chain(name, *cards) if "dnat" in line]


def test_the_table_is_replaced_in_one_transaction() -> None:
    text = ruleset(table_name("web.1"), [card()])
    assert text.startswith(removal("quarterdeck_web.1") + "table inet quarterdeck_web.1 {\n")
    assert text.count("table inet") == 3


def test_a_port_of_every_address_leads_in_from_outside_and_from_here() -> None:
    port = PortForward("0.0.0.0", 8080, 80)
    assert translations("arriving", card(port)) == ["ip daddr != 127.0.0.0/8 fib daddr type local tcp dport 8080 dnat ip to 172.30.5.2:80"]
    assert translations("local", card(port))[1] == "ip daddr 127.0.0.1 tcp dport 8080 dnat ip to 172.30.5.2:80"


def test_a_port_of_the_loopback_address_leads_in_from_here_only() -> None:
    port = PortForward("127.0.0.1", 22, 22)
    assert translations("arriving", card(port)) == []
    assert translations("local", card(port)) == ["ip daddr 127.0.0.1 tcp dport 22 dnat ip to 172.30.5.2"]


def test_a_port_of_one_address_matches_that_address() -> None:
    port = PortForward("192.0.2.7", 53, 53, "udp")
    assert translations("arriving", card(port)) == ["ip daddr 192.0.2.7 udp dport 53 dnat ip to 172.30.5.2"]


def test_a_range_that_moves_is_mapped_port_by_port() -> None:
    (rule,) = translations("arriving", card(PortForward("192.0.2.7", 8000, 9000, "tcp", 2)))
    assert rule == "ip daddr 192.0.2.7 tcp dport 8000-8001 dnat ip to 172.30.5.2:tcp dport map { 8000 : 9000, 8001 : 9001 }"


def test_ipv6_ports_lead_to_the_ipv6_address() -> None:
    (rule,) = translations("arriving", card(PortForward("::", 80, 8080), own=BOTH))
    assert rule == "ip6 daddr != ::1 fib daddr type local tcp dport 80 dnat ip6 to [fd00:1::2]:8080"


def test_all_ports_but_those_that_are_kept_lead_in_after_those_that_are_named() -> None:
    keep = (KeptPorts(22), KeptPorts(20, 5, "tcp"), KeptPorts(53, 1, "udp"))
    rules = translations("arriving", card(PortForward("0.0.0.0", 80, 8080), forward_all=True, keep=keep))
    assert rules[0].endswith("172.30.5.2:8080")
    assert [rule.partition("local ")[2] for rule in rules[1:]] == [
        "tcp dport != { 20-24 } dnat ip to 172.30.5.2",
        "udp dport != { 22, 53 } dnat ip to 172.30.5.2",
    ]


def test_without_kept_ports_all_of_the_protocol_lead_in() -> None:
    assert [rule.partition("local ")[2] for rule in translations("local", card(forward_all=True))] == [
        "meta l4proto tcp dnat ip to 172.30.5.2",
        "meta l4proto udp dnat ip to 172.30.5.2",
    ]


@pytest.mark.parametrize(("own", "families"), [(FOUR, {"ip"}), (BOTH, {"ip", "ip6"})])
def test_what_the_guest_sends_leaves_with_the_hosts_address(own: OwnNetwork, families: set[str]) -> None:
    rules = [rule for rule in chain("leaving", card(own=own)) if 'oifname != "qd0-0"' in rule]
    assert {rule.split()[0] for rule in rules} == families
    assert all(rule.endswith("masquerade") for rule in rules)


def test_the_guest_may_not_pretend_nor_reach_loopback_nor_move_routes() -> None:
    spoken = chain("from_guest", card())
    assert 'iifname "qd0-0" ip daddr 127.0.0.0/8 drop' in spoken
    assert 'iifname "qd0-0" ip saddr != { 0.0.0.0, 172.30.5.0/24 } drop' in spoken
    assert any("nd-router-advert" in rule for rule in chain("to_host", card()))


def test_only_answers_and_led_ports_pass_to_the_guest() -> None:
    assert chain("through", card())[-1] == 'oifname "qd0-0" drop'


def test_cards_without_a_network_of_their_own_have_no_rules() -> None:
    assert "qd0-0" not in ruleset("t", [card(own=None)])
