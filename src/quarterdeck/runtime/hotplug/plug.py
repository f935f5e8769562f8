"""Plugs one device of the host into a running QEMU, and out.

QEMU gets the device's file opened, so that it needs no rights on it and looks for nothing itself.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

from quarterdeck.errors import HostError, QemuError
from quarterdeck.host.files import below
from quarterdeck.machine.devices.usb import CONTROLLER
from quarterdeck.runtime.hotplug.filter import UsbFilter
from quarterdeck.runtime.hotplug.sysfs import HostUsb
from quarterdeck.runtime.qmp import Qmp

_PERIPHERAL = "/machine/peripheral"
_GIVE = "give the container the bus: -v /dev/bus/usb:/dev/bus/usb --device-cgroup-rule 'c 189:* rmw'"


async def plug_in(qmp: Qmp, wanted: UsbFilter, device: HostUsb, *, root: Path = Path("/")) -> None:
    """Give ``device`` to the guest, as QEMU's device ``wanted.id``.

    Source: QEMU ``hw/usb/host-libusb.c``: ``hostdevice`` is a file or a descriptor set (5.1 or later).

    Raises:
        HostError: its file cannot be opened.
        QemuError: QEMU refuses it.
    """
    handle = open_node(device, root)
    try:
        number = await qmp.add_fd(handle)
    finally:
        os.close(handle)
    try:
        await qmp.execute("device_add", options(wanted, number))
    finally:
        await qmp.execute("remove-fd", {"fdset-id": number})  # QEMU has a copy of its own


def options(wanted: UsbFilter, number: int) -> dict[str, str]:
    """Return QEMU's device for descriptor set ``number``."""
    return {"driver": "usb-host", "id": wanted.id, "bus": f"{CONTROLLER}.0", "hostdevice": f"/dev/fdset/{number}"}


async def plug_out(qmp: Qmp, wanted: UsbFilter) -> None:
    """Take the device from the guest. Raises: QemuError."""
    await qmp.execute("device_del", {"id": wanted.id})


async def plugged(qmp: Qmp) -> frozenset[UsbFilter]:
    """Return for which filters QEMU has a device now; whoever plugged them in."""
    reply = await qmp.execute("qom-list", {"path": _PERIPHERAL})
    names = [item.get("name") for item in reply if isinstance(item, dict)] if isinstance(reply, list) else []
    found = (UsbFilter.from_id(name) for name in names if isinstance(name, str))
    return frozenset(item for item in found if item is not None)


async def check_controller(qmp: Qmp) -> None:
    """Raise QemuError unless the machine has a USB controller."""
    reply = await qmp.execute("qom-list", {"path": _PERIPHERAL})
    if not any(isinstance(item, dict) and item.get("name") == CONTROLLER for item in reply):
        raise QemuError("no-usb", "this machine has no USB controller", hint="give it a device in 'usb' of its spec, or a screen")


def open_node(device: HostUsb, root: Path) -> int:
    """Open the file of ``device``.

    Raises:
        HostError: it is missing, or may not be used; the hint says what a container needs.
    """
    try:
        return os.open(below(root, device.node), os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        forbidden = error.errno in {errno.EACCES, errno.EPERM}
        raise HostError(
            "usb-not-opened",
            f"USB device {device.vendor:04x}:{device.product:04x} cannot be used",
            reason=f"{device.node}: {os.strerror(error.errno or 0)}",
            hint=f"let this user write to it, or {_GIVE}" if forbidden else _GIVE,
        ) from None
