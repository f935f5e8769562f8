"""``qd usb ls|attach|detach``."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from quarterdeck.cli.options import Json, Machine, OptionalMachine
from quarterdeck.cli.output import print_json, say

Device = Annotated[
    str,
    typer.Argument(
        metavar="VENDOR:PRODUCT|BUS.PORT",
        help="What it is, such as 046d:c52b, or where it is plugged in, such as 1.4; 'qd usb ls' shows both.",
    ),
]


def ls(name: OptionalMachine = None, json: Json = False) -> None:
    """List the USB devices that are plugged into this host, and with **NAME** which of them a running machine has or waits for."""
    devices = _devices(name)
    if json:
        print_json(devices)
        return
    if not devices:
        say("No USB device is plugged in, or this container is not shown any.", "dim")
        return
    from quarterdeck.cli.table import Column, print_columns

    columns = (Column("DEVICE"), Column("PORT"), *((Column("GUEST"),) if name else ()), Column("NAME", 1))
    print_columns(columns, [_row(device, guest=name is not None) for device in devices])


def attach(name: Machine, device: Device) -> None:
    """Give a USB device of this host to a running machine.

    The guest gets it again whenever it is unplugged and plugged in, until it is detached or the machine ends. A device that a machine
    is always to have belongs into **usb** of its spec.
    """
    from quarterdeck.cli.reach import reach

    given = reach(name).request("POST", "/usb/attach", {"device": device})
    say(f"{name} has {given['vendor']}:{given['product']} {given['name']}".rstrip() + ".")


def detach(name: Machine, device: Device) -> None:
    """Take a USB device from a running machine."""
    from quarterdeck.cli.reach import reach

    reach(name).request("POST", "/usb/detach", {"device": device})


def _devices(name: str | None) -> list[dict[str, Any]]:
    from quarterdeck.cli.reach import reach
    from quarterdeck.runtime.hotplug import sysfs

    if name is not None:
        return list(reach(name).request("GET", "/usb")["devices"])
    return [sysfs.to_json(device) for device in sysfs.devices() if not device.hub]


def _row(device: dict[str, Any], *, guest: bool) -> list[str]:
    identity = f"{device['vendor']}:{device['product']}" if device["vendor"] else "any"
    place = f"{device['bus']}.{device['port']}" if device["port"] else "any"
    has = "has it" if device.get("attached") else "" if device.get("plugged", True) else "waits for it"
    return [identity, place, *([has] if guest else []), device["name"]]
