"""The network."""

from quarterdeck.machine.environment.kinds import FLAG, FORWARDS, MAC, PORTS, TEXT, choice, matching, whole
from quarterdeck.machine.environment.variable import Variable

_IPV4 = r"\d{1,3}(\.\d{1,3}){3}"
_MODES = ("auto", "y", "nat", "tap", "tun", "tuntap", "user", "slirp", "passt", "macvtap", "n", "no", "none")


def _dropped(name: str, what: str, *quiet: str, instead: str = "leave it out") -> Variable:
    return Variable(name=name, kind=TEXT, what=what, instead=instead, quiet=quiet)


def _legacy(name: str) -> tuple[str, ...]:
    return (f"VM_NET_{name}",)


VARIABLES = (
    Variable(
        name="NETWORK",
        kind=choice(*_MODES),
        default="`auto`",
        what="`nat`, `Y`: the best that works, as `auto`; `user`, `passt`, `macvtap`; `N` for no network. See [networks](networking.md).",
    ),
    Variable(name="DHCP", kind=FLAG, default="`N`", what="`Y` is macvtap: an address of its own on the LAN."),
    Variable(name="IP", kind=matching(_IPV4, "an IPv4 address"), aliases=_legacy("IP"), what="The guest's address behind NAT."),
    Variable(
        name="MASK",
        kind=matching(_IPV4, "an IPv4 netmask"),
        aliases=_legacy("MASK"),
        default="`255.255.255.0`",
        what="The netmask of `IP`.",
    ),
    Variable(name="MAC", kind=MAC, aliases=_legacy("MAC"), default="the old image's, else made from the name", what="The card's address."),
    Variable(name="MTU", kind=whole(576, 65535), aliases=_legacy("MTU"), what="The largest packet.", default="the container's"),
    Variable(name="ADAPTER", kind=TEXT, default="`virtio-net-pci`", what="QEMU's network device."),
    Variable(
        name="DEV",
        kind=TEXT,
        aliases=_legacy("DEV"),
        what="The container's device that macvtap stands on.",
        default="that of the default route",
    ),
    Variable(name="HOST_PORTS", kind=PORTS, what="Ports that stay with the container where all others lead to the guest."),
    Variable(
        name="USER_PORTS",
        kind=PORTS,
        default="`22`",
        what="Ports that lead to the guest's of the same number, TCP and UDP unless told. Needed where not all do.",
    ),
    Variable(name="PORTS", kind=FORWARDS, what="Ports that lead to others of the guest, on all addresses unless told.", ours=True),
    Variable(
        name="HOST",
        kind=TEXT,
        aliases=_legacy("HOST"),
        what="The guest names itself",
        instead="set PROVISION_HOSTNAME, for images that set themselves up",
    ),
    Variable(
        name="TAP",
        kind=TEXT,
        aliases=_legacy("TAP"),
        what="Devices of our own have names of their own",
        instead="leave it out",
        quiet=("qemu",),
    ),
    Variable(
        name="BRIDGE",
        kind=TEXT,
        aliases=_legacy("BRIDGE"),
        what="The guest's network needs no bridge",
        instead="leave it out",
        quiet=("docker",),
    ),
    _dropped("DNSMASQ_OPTS", "dnsmasq is set up for the guest's network only"),
    _dropped("DNSMASQ_DEBUG", "What dnsmasq says is in the log of the machine", "n", "no"),
    _dropped("DNSMASQ_DISABLE", "The guest's network needs DHCP and DNS", "n", "no", instead="set NETWORK=user, which needs no dnsmasq"),
    _dropped("PASST_OPTS", "passt is set up for the guest's network only"),
    _dropped("PASST_DEBUG", "What passt says is in the log of the machine", "n", "no"),
    _dropped("CHECK_PORT", "Health is what supervisor and guest agent say, not a port of the guest", "80"),
)
