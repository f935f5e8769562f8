"""The description of a machine in an OVF package.

Sources: DMTF DSP0243 1.1.0 (Open Virtualization Format), CIM_ResourceAllocationSettingData 2.22 (types of resources; the elements of an
item stand in alphabetical order), VMware's schema of 2008 for the firmware.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from quarterdeck.media.export.appliance import Appliance

_OVF = "http://schemas.dmtf.org/ovf/envelope/1"
_RASD = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData"
_VSSD = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_VirtualSystemSettingData"
_VMW = "http://www.vmware.com/schema/ovf"
_STREAM_OPTIMIZED = "http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized"
_MIB = 1 << 20
_OTHER_SYSTEM = "1"
"""CIM_OperatingSystem: other. What is in the disks is not known."""
_CPU, _MEMORY, _NETWORK, _DISK, _SATA = "3", "4", "10", "17", "20"


@dataclass(frozen=True)
class PackedDisk:
    """One disk in the package: file name, bytes of that file, bytes as the guest sees it."""

    file: str
    size: int
    capacity: int


def describe(machine: Appliance, disks: Sequence[PackedDisk]) -> bytes:
    """Return the OVF description of ``machine`` with ``disks``, as XML."""
    for prefix, name in (("ovf", _OVF), ("rasd", _RASD), ("vssd", _VSSD), ("vmw", _VMW)):
        ET.register_namespace(prefix, name)
    envelope = ET.Element(f"{{{_OVF}}}Envelope")
    _references(envelope, disks)
    _disks(envelope, disks)
    if machine.cards:
        networks = _section(envelope, "NetworkSection", "The networks that the machine is connected to")
        _add(networks, "Network", {"name": "NAT"})
    system = _add(envelope, "VirtualSystem", {"id": machine.name})
    _add(system, "Info", text=f"A virtual machine for {machine.arch.name}")
    _add(system, "Name", text=machine.name)
    _add(_section(system, "OperatingSystemSection", "The guest's system", {"id": _OTHER_SYSTEM}), "Description", text="unknown")
    _hardware(system, machine, disks)
    ET.indent(envelope)
    return bytes(ET.tostring(envelope, encoding="utf-8", xml_declaration=True)) + b"\n"


def _references(envelope: ET.Element, disks: Sequence[PackedDisk]) -> None:
    references = _add(envelope, "References")
    for number, disk in enumerate(disks, 1):
        _add(references, "File", {"href": disk.file, "id": f"file{number}", "size": str(disk.size)})


def _disks(envelope: ET.Element, disks: Sequence[PackedDisk]) -> None:
    section = _section(envelope, "DiskSection", "The disks of the machine")
    for number, disk in enumerate(disks, 1):
        _add(
            section,
            "Disk",
            {
                "capacity": str(disk.capacity),
                "capacityAllocationUnits": "byte",
                "diskId": f"disk{number}",
                "fileRef": f"file{number}",
                "format": _STREAM_OPTIMIZED,
            },
        )


def _hardware(system: ET.Element, machine: Appliance, disks: Sequence[PackedDisk]) -> None:
    section = _section(system, "VirtualHardwareSection", "What the machine needs")
    about = _add(section, "System")
    for tag, text in (("ElementName", "Virtual Hardware"), ("InstanceID", "0"), ("VirtualSystemIdentifier", machine.name)):
        _add(about, tag, text=text, space=_VSSD)
    _add(about, "VirtualSystemType", text="vmx-10", space=_VSSD)
    for number, item in enumerate(_items(machine, disks), 1):
        _item(section, number, item)
    firmware = {"key": "firmware", "value": "efi" if machine.uefi else "bios"}
    config = ET.SubElement(section, f"{{{_VMW}}}Config", {f"{{{_VMW}}}{key}": value for key, value in firmware.items()})
    config.set(f"{{{_OVF}}}required", "false")


def _items(machine: Appliance, disks: Sequence[PackedDisk]) -> list[dict[str, str]]:
    """Return the resources in the order of their numbers; the disks' controller is the third."""
    memory = -(-machine.memory // _MIB)
    items = [
        {"ElementName": f"{machine.cpus} processors", "ResourceType": _CPU, "VirtualQuantity": str(machine.cpus)},
        {"AllocationUnits": "byte * 2^20", "ElementName": f"{memory} MiB", "ResourceType": _MEMORY, "VirtualQuantity": str(memory)},
        {"Address": "0", "ElementName": "SATA", "ResourceSubType": "AHCI", "ResourceType": _SATA},
    ]
    items += [
        {
            "AddressOnParent": str(place),
            "ElementName": f"Disk {place}",
            "HostResource": f"ovf:/disk/disk{place + 1}",
            "Parent": "3",
            "ResourceType": _DISK,
        }
        for place in range(len(disks))
    ]
    card = {"AutomaticAllocation": "true", "Connection": "NAT", "ResourceSubType": "E1000", "ResourceType": _NETWORK}
    return items + [{**card, "ElementName": f"Network card {number}"} for number in range(machine.cards)]


def _item(section: ET.Element, number: int, fields: Mapping[str, str]) -> None:
    item = _add(section, "Item")
    for tag, text in sorted({**fields, "InstanceID": str(number)}.items()):
        _add(item, tag, text=text, space=_RASD)


def _section(parent: ET.Element, tag: str, what: str, attributes: Mapping[str, str] | None = None) -> ET.Element:
    section = _add(parent, tag, attributes)
    _add(section, "Info", text=what)
    return section


def _add(parent: ET.Element, tag: str, attributes: Mapping[str, str] | None = None, *, text: str = "", space: str = _OVF) -> ET.Element:
    element = ET.SubElement(parent, f"{{{space}}}{tag}", {f"{{{_OVF}}}{name}": value for name, value in (attributes or {}).items()})
    element.text = text or None
    return element
