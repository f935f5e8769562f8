"""Devices that networks of virtual machines use, and the modes that work here."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from quarterdeck.host.check import Check, Status
from quarterdeck.host.container import container
from quarterdeck.host.facts import NetworkFacts
from quarterdeck.host.files import below
from quarterdeck.host.identity import choose_identity
from quarterdeck.host.network import network_facts


@dataclass(frozen=True)
class _Device:
    path: str
    key: str
    purpose: str
    module: str


_DEVICES = (
    _Device("/dev/net/tun", "tun", "tap and bridge networks", "tun"),
    _Device("/dev/vhost-net", "vhost-net", "faster tap networks", "vhost_net"),
)


async def check() -> list[Check]:
    """Return the state of the network devices and of the modes that need rights; user networking needs none of them."""
    identity = choose_identity("doctor").identity
    return [*device_checks(Path("/")), *mode_checks(await network_facts(identity))]


def mode_checks(facts: NetworkFacts) -> list[Check]:
    """Return which networks the mode ``auto`` could choose from, each with what it lacks."""
    own = facts.tap if not facts.tap.works else facts.forwarding4
    modes = (
        ("network-passt", "network mode passt", facts.passt),
        ("network-tap", "network mode tap", own),
        ("network-ipv6", "IPv6 in tap networks", facts.forwarding6),
    )
    return [
        Check(key=key, title=title, status=Status.OK if verdict.works else Status.INFO, detail=verdict.reason, fix=verdict.hint)
        for key, title, verdict in modes
    ]


def device_checks(root: Path) -> list[Check]:
    """Return the same for another root folder."""
    return [_device_check(device, root) for device in _DEVICES]


def _device_check(device: _Device, root: Path) -> Check:
    title = device.path
    try:
        status = os.stat(below(root, device.path))
    except FileNotFoundError:
        fix = f"start the container with --device {device.path}" if container(root) else f"modprobe {device.module}"
        return Check(key=device.key, title=title, status=Status.INFO, detail=f"not there ({device.purpose})", fix=fix)
    except OSError as error:
        return Check(key=device.key, title=title, status=Status.INFO, detail=f"{error.strerror} ({device.purpose})")
    if not stat.S_ISCHR(status.st_mode):
        return Check(
            key=device.key, title=title, status=Status.WARN, detail="is not a device", fix=f"remove it and modprobe {device.module}"
        )
    if not os.access(below(root, device.path), os.R_OK | os.W_OK):
        return Check(key=device.key, title=title, status=Status.INFO, detail=f"you may not open it ({device.purpose})")
    return Check(key=device.key, title=title, status=Status.OK, detail=f"usable ({device.purpose})")
