"""Which USB device is meant: by what it is, by where it is plugged in, or both."""

from __future__ import annotations

import re
from dataclasses import dataclass

from quarterdeck.errors import UsageError
from quarterdeck.machine.spec import UsbSpec
from quarterdeck.runtime.hotplug.sysfs import HostUsb

_IDENTITY = re.compile(r"([0-9a-fA-F]{4}):([0-9a-fA-F]{4})")
_PLACE = re.compile(r"([1-9]\d{0,2})[.-](\d{1,3}(?:\.\d{1,3})*)", re.ASCII)
_PREFIX = "host-usb"
_ID = re.compile(_PREFIX + r"(?:-([0-9a-f]{4})-([0-9a-f]{4}))?(?:-at-(\d{1,3})-(\d{1,3}(?:\.\d{1,3})*))?", re.ASCII)


@dataclass(frozen=True)
class UsbFilter:
    """One wanted device; -1 and empty mean that it does not matter. ``port`` is the path of ports, such as ``1.4``."""

    vendor: int = -1
    product: int = -1
    bus: int = -1
    port: str = ""

    @classmethod
    def of(cls, spec: UsbSpec) -> UsbFilter:
        """Return what a spec means."""
        vendor, product, bus = (-1 if value is None else value for value in (spec.vendor, spec.product, spec.bus))
        return cls(vendor, product, bus, spec.port or "")

    @classmethod
    def parse(cls, text: str) -> UsbFilter:
        """Return what ``VENDOR:PRODUCT`` (hexadecimal, as lsusb writes them), ``BUS.PORT`` or the kernel's ``BUS-PORT`` means.

        Raises:
            UsageError: it is neither.
        """
        if found := _IDENTITY.fullmatch(text):
            return cls(vendor=int(found[1], 16), product=int(found[2], 16))
        if found := _PLACE.fullmatch(text):
            return cls(bus=int(found[1]), port=found[2])
        raise UsageError(
            "invalid-usb",
            f"'{text}' names no USB device",
            hint="give VENDOR:PRODUCT in four hexadecimal digits each, such as 046d:c52b, or BUS.PORT, such as 1.4: 'qd usb ls' shows both",
        )

    @classmethod
    def from_id(cls, device: str) -> UsbFilter | None:
        """Return the filter for which QEMU's device ``device`` was plugged in, None when it is not one of ours."""
        found = _ID.fullmatch(device)
        if found is None or not any(found.groups()):
            return None
        vendor, product, bus, port = found.groups()
        return cls(int(vendor, 16) if vendor else -1, int(product, 16) if product else -1, int(bus) if bus else -1, port or "")

    @property
    def id(self) -> str:
        """The id of QEMU's device, which tells the filter again after a takeover."""
        identity = f"-{self.vendor:04x}-{self.product:04x}" if self.vendor >= 0 else ""
        place = f"-at-{self.bus}-{self.port}" if self.bus >= 0 else ""
        return f"{_PREFIX}{identity}{place}"

    def matches(self, device: HostUsb) -> bool:
        """Whether ``device`` is meant."""
        identity = self.vendor < 0 or (self.vendor, self.product) == (device.vendor, device.product)
        return identity and (self.bus < 0 or (self.bus, self.port) == (device.bus, device.port))

    def __str__(self) -> str:
        identity = f"{self.vendor:04x}:{self.product:04x}" if self.vendor >= 0 else ""
        place = f"port {self.bus}.{self.port}" if self.bus >= 0 else ""
        return " at ".join(part for part in (identity, place) if part)
