"""The USB devices that are plugged into this host.

Source: the kernel's Documentation/ABI/stable/sysfs-bus-usb and sysfs-devices-usb; a device is called ``BUS-PORT[.PORT...]``.
The list is read anew each time: nothing tells a container of what is plugged in, since udev's messages stay in the host's network
namespace.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quarterdeck.host.files import below, read_text

_DEVICES = "/sys/bus/usb/devices"
_NAME = re.compile(r"(\d{1,3})-(\d{1,3}(?:\.\d{1,3})*)", re.ASCII)
_HUB_CLASS = "09"


@dataclass(frozen=True)
class HostUsb:
    """One device: what it is, where it is plugged in, and ``number``, which is new each time that it is plugged in."""

    vendor: int
    product: int
    bus: int
    port: str
    number: int
    name: str
    hub: bool = False

    @property
    def node(self) -> str:
        """The file by which it is used."""
        return f"/dev/bus/usb/{self.bus:03d}/{self.number:03d}"


def to_json(device: HostUsb) -> dict[str, Any]:
    """Return the device as commands and the API show it."""
    identity = {"vendor": f"{device.vendor:04x}", "product": f"{device.product:04x}"}
    return {**identity, "bus": device.bus, "port": device.port, "name": device.name}


def devices(root: Path = Path("/")) -> tuple[HostUsb, ...]:
    """Return the devices that are plugged in now, without the hubs of the host's own controllers; sorted by place."""
    try:
        names = os.listdir(below(root, _DEVICES))
    except OSError:
        return ()
    found = [device for name in names if (place := _NAME.fullmatch(name)) and (device := _read(root, name, place))]
    return tuple(sorted(found, key=lambda device: (device.bus, [int(part) for part in device.port.split(".")])))


def _read(root: Path, name: str, place: re.Match[str]) -> HostUsb | None:
    """Return the device, None when it was unplugged while it was read."""
    fields = {field: read_text(root, f"{_DEVICES}/{name}/{field}") for field in _FIELDS}
    try:
        vendor, product = int(fields["idVendor"], 16), int(fields["idProduct"], 16)
        number = int(fields["devnum"])
    except ValueError:
        return None
    called = f"{fields['manufacturer']} {fields['product']}".strip()
    return HostUsb(vendor, product, int(place[1]), place[2], number, called, fields["bDeviceClass"] == _HUB_CLASS)


_FIELDS = ("idVendor", "idProduct", "devnum", "manufacturer", "product", "bDeviceClass")
