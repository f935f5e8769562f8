"""Command-line flags laid over a spec."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from quarterdeck.core.place import Loc, place
from quarterdeck.errors import Problem, SpecError
from quarterdeck.machine.check import check
from quarterdeck.machine.check_network import forwarding
from quarterdeck.machine.spec import MachineSpec
from quarterdeck.machine.validate import Finding, adapter, validate


@dataclass(frozen=True, kw_only=True)
class Flags:
    """What the command line gave, as written; None and empty mean not given."""

    name: str | None = None
    arch: str | None = None
    cpus: str | int | None = None
    """A number, ``half`` or ``max``."""
    memory: str | None = None
    """A size, ``half`` or ``max``."""
    disk: str | None = None
    """Size of the first disk."""
    ports: tuple[str, ...] = ()
    """Added to the first card that forwards ports."""
    network: str | None = None
    """Mode of the first card: ``user``, ``passt``, ``tap:IFACE``, ``bridge:BRIDGE``; ``none`` removes all cards."""
    accel: str | None = None
    firmware: str | None = None
    viewer: str | None = None
    """``[ADDRESS:]PORT``, or ``off``."""
    ssh_keys: tuple[str, ...] = ()
    """Added to the spec's keys."""
    user: str | None = None
    hostname: str | None = None
    user_data: str | None = None
    """Path of a file."""
    checksum: str | None = None
    unverified: bool = False
    member: str | None = None
    catalogue: tuple[str, ...] = ()
    """Added to the spec's catalogues."""


class _Overlay:
    """A spec as plain data that is being changed, and which flag each changed place came from."""

    def __init__(self, spec: MachineSpec) -> None:
        self.data: dict[str, Any] = adapter().dump_python(spec, mode="json")
        self.origin: dict[Loc, str] = {}

    def put(self, loc: Loc, value: Any, flag: str) -> None:
        holder: Any = self.data
        for part in loc[:-1]:
            holder = holder[part]
        holder[loc[-1]] = value
        self.origin[loc] = flag

    def problem(self, finding: Finding) -> Problem:
        loc = finding.loc
        while loc and loc not in self.origin:
            loc = loc[:-1]
        where = self.origin[loc] if loc else place(finding.loc)
        return Problem(where, finding.message, None, finding.hint)


def override(spec: MachineSpec, flags: Flags) -> MachineSpec:
    """Return ``spec`` with ``flags`` laid over it.

    Raises:
        SpecError: a flag's value makes no sense; the place of each problem is the flag, such as ``--memory``.
    """
    overlay = _Overlay(spec)
    problems = [overlay.problem(finding) for finding in _apply(overlay, flags)]
    result = validate(overlay.data)
    findings = check(result) if isinstance(result, MachineSpec) else result
    problems += [overlay.problem(finding) for finding in findings]
    if problems or isinstance(result, list):
        raise SpecError("the command line", problems, hint="'qd run --help' says what each option takes")
    return result


def _apply(overlay: _Overlay, flags: Flags) -> list[Finding]:
    for name in ("name", "arch", "memory", "accel", "firmware"):
        value = getattr(flags, name)
        if value is not None:
            overlay.put((name,), value, f"--{name}")
    if flags.cpus is not None:
        overlay.put(("cpus",), _number(flags.cpus), "--cpus")
    if flags.disk is not None:
        overlay.data["disks"] = overlay.data["disks"] or [{}]
        overlay.put(("disks", 0, "size"), flags.disk, "--disk")
    for key in flags.ssh_keys:
        _append(overlay, ("provision", "ssh_keys"), key, "--ssh-key")
    for name in ("user", "hostname", "user_data"):
        if (given := getattr(flags, name)) is not None:
            overlay.put(("provision", name), given, f"--{name.replace('_', '-')}")
    _fetch(overlay, flags)
    return [*_network(overlay, flags), *_forwards(overlay, flags), *_viewer(overlay, flags)]


def _fetch(overlay: _Overlay, flags: Flags) -> None:
    for name in ("checksum", "member"):
        if (value := getattr(flags, name)) is not None:
            overlay.put(("fetch", name), value, f"--{name}")
    if flags.unverified:
        overlay.put(("fetch", "unverified"), True, "--unverified")
    for word in flags.catalogue:
        _append(overlay, ("fetch", "catalogue"), word, "--catalogue")


def _number(value: str | int) -> str | int:
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10 else value


def _append(overlay: _Overlay, loc: Loc, value: str, flag: str) -> None:
    items: Any = overlay.data
    for part in loc:
        items = items[part]
    items.append(value)
    overlay.origin[(*loc, len(items) - 1)] = flag


def _network(overlay: _Overlay, flags: Flags) -> list[Finding]:
    if flags.network is None:
        return []
    if flags.network == "none":
        overlay.put(("networks",), [], "--network")
        return []
    mode, _, interface = flags.network.partition(":")
    overlay.data["networks"] = overlay.data["networks"] or [{}]
    overlay.put(("networks", 0, "mode"), mode, "--network")
    overlay.put(("networks", 0, "interface"), interface or None, "--network")
    return []


def _forwards(overlay: _Overlay, flags: Flags) -> list[Finding]:
    if not flags.ports:
        return []
    cards = overlay.data["networks"]
    index = next((number for number, card in enumerate(cards) if forwarding(card.get("mode"), card.get("interface"))), None)
    if index is None:
        overlay.origin["ports",] = "--port"
        return [Finding(("ports",), "no network card of this machine forwards ports", "add '--network auto'")]
    cards[index].setdefault("ports", [])
    for port in flags.ports:
        _append(overlay, ("networks", index, "ports"), port, "--port")
    return []


def _viewer(overlay: _Overlay, flags: Flags) -> list[Finding]:
    if flags.viewer is None:
        return []
    if flags.viewer == "off":
        overlay.put(("viewer", "enabled"), False, "--viewer")
        return []
    address, _, port = flags.viewer.rpartition(":")
    number = _number(port)
    if not isinstance(number, int):
        overlay.origin["viewer",] = "--viewer"
        return [Finding(("viewer",), f"'{flags.viewer}' is not an address and port", "write 127.0.0.1:8006, 8006 or off")]
    overlay.put(("viewer", "enabled"), True, "--viewer")
    overlay.put(("viewer", "port"), number, "--viewer")
    if address:
        overlay.put(("viewer", "address"), address.removeprefix("[").removesuffix("]"), "--viewer")
    return []
