import socket

import pytest

from quarterdeck.errors import HostError
from quarterdeck.machine.resolved import PortForward, ResolvedNetwork
from quarterdeck.machine.spec import NetworkMode
from quarterdeck.runtime.network.ports import check_free

pytestmark = pytest.mark.integration


def card(mode: NetworkMode, *ports: PortForward) -> ResolvedNetwork:
    return ResolvedNetwork(id="net0", mode=mode, device="x", mac="52:54:00:00:00:01", ports=ports, interface="", mtu=None)


@pytest.mark.parametrize(("kind", "protocol"), [(socket.SOCK_STREAM, "tcp"), (socket.SOCK_DGRAM, "udp")])
def test_a_port_that_somebody_has_is_told_before_the_start(kind: socket.SocketKind, protocol: str) -> None:
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", 0))
        if protocol == "tcp":
            taken.listen()
        port = PortForward("127.0.0.1", taken.getsockname()[1], 80, protocol)
        with pytest.raises(HostError) as caught:
            check_free([card(NetworkMode.PASST, port)])
        assert caught.value.key == "port-taken"
        check_free([card(NetworkMode.TAP, port)])
    check_free([card(NetworkMode.USER, port)])


def test_an_address_of_another_host_is_told() -> None:
    with pytest.raises(HostError, match="cannot lead to the guest") as caught:
        check_free([card(NetworkMode.USER, PortForward("203.0.113.7", 8080, 80))])
    assert caught.value.reason == "this host has no such address"
