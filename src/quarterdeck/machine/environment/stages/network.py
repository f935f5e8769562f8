"""The network card, and the ports that lead to the guest."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from quarterdeck.machine.check_network import forwarding
from quarterdeck.machine.environment.draft import Draft
from quarterdeck.machine.environment.kinds import PortWord, is_no
from quarterdeck.machine.environment.stages.screen import EVERYWHERE, VIEWER_PORT

_MODES = {"y": "auto", "nat": "auto", "tap": "auto", "tun": "auto", "tuntap": "auto", "slirp": "user"}
"""In the old image all of these are NAT where it works and something lesser where it does not, which is what ``auto`` is."""
_SSH = 22
_SHARED = frozenset({"auto", "tap"})
_CARD = ("networks", 0)
_DEFAULT_MASK = "255.255.255.0"


def network(draft: Draft) -> None:
    """Write what the variables of the network say."""
    mode = _mode(draft)
    if mode is None:
        _without(draft)
        return
    for name, field in (("MTU", "mtu"), ("ADAPTER", "model"), ("MAC", "mac")):
        if draft.has(name):
            draft.put((*_CARD, field), draft.value(name), name)
    _device(draft, mode)
    _address(draft, mode)
    _everything(draft, mode)
    _forwards(draft, mode)


def _mode(draft: Draft) -> str | None:
    """Return the mode of the card; None for no network."""
    wanted, dhcp = draft.text("NETWORK"), draft.flag("DHCP")
    if dhcp:
        if wanted not in {None, "y", "auto", "nat", "tap", "macvtap"}:
            draft.problem("DHCP", f"contradicts NETWORK={wanted}", "remove one of the two")
        draft.put((*_CARD, "mode"), "macvtap", "DHCP")
        return "macvtap"
    if wanted is None:
        return None if draft.data.get("networks") == [] else draft.look(*_CARD, "mode") or "auto"
    if is_no(wanted):
        draft.put(("networks",), [], "NETWORK")
        return None
    mode = _MODES.get(wanted, wanted)
    draft.put((*_CARD, "mode"), mode, "NETWORK")
    return mode


def _without(draft: Draft) -> None:
    for name in ("MTU", "ADAPTER", "MAC", "DEV", "IP", "MASK", "HOST_PORTS", "USER_PORTS", "PORTS"):
        if draft.has(name):
            draft.note(name, "it has no effect without a network", "remove NETWORK=N")


def _device(draft: Draft, mode: str) -> None:
    if not draft.has("DEV"):
        return
    if mode == "macvtap":
        draft.put((*_CARD, "interface"), draft.value("DEV"), "DEV")
    else:
        draft.note("DEV", "the guest's packets follow the container's routes", "leave it out; it is for macvtap")


def _address(draft: Draft, mode: str) -> None:
    address, mask = draft.text("IP"), draft.text("MASK") or _DEFAULT_MASK
    if address is None:
        if draft.has("MASK") and mask != _DEFAULT_MASK:
            draft.note("MASK", "it has no effect without IP", "give the guest's address in IP")
        return
    if mode not in _SHARED:
        draft.note("IP", f"the guest's address cannot be chosen with '{mode}'", "set NETWORK=nat")
        return
    try:
        length = ipaddress.IPv4Network(f"0.0.0.0/{mask}").prefixlen
    except ValueError:
        draft.problem("MASK", f"must be a netmask such as 255.255.255.0; it is '{mask}'")
        return
    draft.put((*_CARD, "address"), f"{address}/{length}", "IP")


def _everything(draft: Draft, mode: str) -> None:
    """Where the guest stands for the container, every port leads to it but those that are kept."""
    kept: tuple[PortWord, ...] = draft.value("HOST_PORTS") or ()
    if mode not in _SHARED or draft.said(*_CARD, "interface"):
        if kept:
            draft.note("HOST_PORTS", f"only ports that are told lead to the guest with '{mode}'", "leave it out")
        return
    draft.default((*_CARD, "forward_all"), True)
    for word in kept:
        draft.add((*_CARD, "keep"), f"{word.span}/{word.protocol}" if word.protocol else word.span, "HOST_PORTS")


def _forwards(draft: Draft, mode: str) -> None:
    if not forwarding(mode, draft.look(*_CARD, "interface")):
        for name in ("USER_PORTS", "PORTS"):
            if draft.has(name):
                draft.note(name, f"the guest has an address of its own with '{mode}', and all its ports", "leave it out")
        return
    for text in draft.value("PORTS") or ():
        draft.add((*_CARD, "ports"), _anywhere(text), "PORTS")
    for text in dict.fromkeys(_same_ports(draft)):
        draft.add((*_CARD, "ports"), text, "USER_PORTS")
    _ssh(draft)


def _anywhere(text: str) -> str:
    """Published ports reach the container at its own address, so a forward without one is for all of them."""
    bare = text.partition("/")[0]
    return text if bare.count(":") != 1 or bare.startswith("[") else f"{EVERYWHERE}:{text}"


def _same_ports(draft: Draft) -> Iterator[str]:
    viewer = draft.look("viewer", "port") or VIEWER_PORT
    for word in draft.value("USER_PORTS") or ():
        if word.first == word.last == viewer:
            draft.note("USER_PORTS", f"port {viewer} is the viewer's and stays so", "leave it out")
            continue
        for suffix in {"tcp": ("",), "udp": ("/udp",)}.get(word.protocol, ("", "/udp")):
            yield f"{EVERYWHERE}:{word.span}:{word.span}{suffix}"


def _ssh(draft: Draft) -> None:
    """Port 22 leads to the guest unless something else was said of it; a program without rights may not be allowed to open it."""
    if draft.found.lowest_port > _SSH or any(_covers(word) for word in (*_words(draft, "HOST_PORTS"), *_words(draft, "USER_PORTS"))):
        return
    taken: list[str] = draft.look(*_CARD, "ports") or []
    if not any(text.rpartition(":")[0].rpartition(":")[2] == str(_SSH) for text in taken):
        draft.add((*_CARD, "ports"), f"{EVERYWHERE}:{_SSH}:{_SSH}", "USER_PORTS")


def _words(draft: Draft, name: str) -> tuple[PortWord, ...]:
    value: tuple[PortWord, ...] = draft.value(name) or ()
    return value


def _covers(word: PortWord) -> bool:
    return word.first <= _SSH <= word.last
