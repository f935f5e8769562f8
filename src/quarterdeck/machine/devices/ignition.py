"""The way of an Ignition config into the guest."""

from __future__ import annotations

from quarterdeck.machine.devices.address import virtio
from quarterdeck.machine.devices.board import board_of
from quarterdeck.machine.devices.part import Part, blockdev, device
from quarterdeck.machine.options import comma_argument
from quarterdeck.machine.resolved import ResolvedMachine

_NAMES = ("opt/com.coreos/config", "opt/org.flatcar-linux/config")
"""Where Ignition looks: Fedora CoreOS, and Flatcar (https://coreos.github.io/ignition/supported-platforms/)."""
_FW_CFG = frozenset({"x86_64", "i386", "aarch64", "arm", "riscv64", "riscv32", "loongarch64"})
"""Architectures whose usual machine types have QEMU's fw_cfg device."""


def ignition(machine: ResolvedMachine) -> Part:
    """Return the config as an entry of fw_cfg; where there is no such device, as a disk with the serial number ``ignition``."""
    if not machine.ignition:
        return Part()
    path = str(machine.layout.ignition)
    if machine.arch.name in _FW_CFG:
        return Part(tuple(word for name in _NAMES for word in ("-fw_cfg", comma_argument(name=name, file=path))))
    node = blockdev({"node-name": "ignition", "driver": "raw", "read-only": True, "file": {"driver": "file", "filename": path}})
    driver = virtio(board_of(machine), "virtio-blk")
    return Part((*node, *device({"driver": driver, "id": "ignition-device", "drive": "ignition", "serial": "ignition"})))
