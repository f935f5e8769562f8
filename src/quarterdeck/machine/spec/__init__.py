"""MachineSpec: what a user wants, before anything about the host is known.

Frozen dataclasses; pydantic validates them at the edge (``load.py``) and ``qd schema`` prints their JSON
Schema. Each field has a default that gives a useful machine, so that ``boot: debian`` is a whole spec.
"""

from quarterdeck.machine.spec.devices import DisplaySpec, ShareSpec, UsbSpec
from quarterdeck.machine.spec.disks import CdromSpec, DiskSpec
from quarterdeck.machine.spec.enums import (
    Accel,
    Aio,
    BootFirst,
    Cache,
    DiskBus,
    DiskFormat,
    DisplayKind,
    Firmware,
    NetworkMode,
    Pointer,
    ShareKind,
    ViewerTls,
)
from quarterdeck.machine.spec.fetch import FetchSpec
from quarterdeck.machine.spec.machine import MachineSpec, TopologySpec
from quarterdeck.machine.spec.memory import BallooningSpec
from quarterdeck.machine.spec.networks import NetworkSpec
from quarterdeck.machine.spec.provision import FileSpec, ProvisionSpec
from quarterdeck.machine.spec.viewer import ViewerSpec

__all__ = [
    "Accel",
    "Aio",
    "BallooningSpec",
    "BootFirst",
    "Cache",
    "CdromSpec",
    "DiskBus",
    "DiskFormat",
    "DiskSpec",
    "DisplayKind",
    "DisplaySpec",
    "FetchSpec",
    "FileSpec",
    "Firmware",
    "MachineSpec",
    "NetworkMode",
    "NetworkSpec",
    "Pointer",
    "ProvisionSpec",
    "ShareKind",
    "ShareSpec",
    "TopologySpec",
    "UsbSpec",
    "ViewerSpec",
    "ViewerTls",
]
