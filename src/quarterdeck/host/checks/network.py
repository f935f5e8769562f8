"""Devices that networks of virtual machines use."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from quarterdeck.host.check import Check, Status
from quarterdeck.host.container import container
from quarterdeck.host.files import below


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
    """Return the state of the network devices; user networking needs none of them."""
    return [_device_check(device, Path("/")) for device in _DEVICES]


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
