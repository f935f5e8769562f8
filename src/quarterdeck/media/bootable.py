"""Whether a disk or disc can boot under UEFI or BIOS, told from its first megabyte.

Sources: UEFI specification 2.10 chapter 5 (GPT) and section 13.3 (partition types), El Torito 1.0.
"""

from __future__ import annotations

import struct
import uuid
from dataclasses import dataclass

HEAD_SIZE = 1 << 20
"""How many bytes of a disk are looked at."""

_ESP = uuid.UUID("C12A7328-F81F-11D2-BA4B-00A0C93EC93B").bytes_le
_BIOS_BOOT = uuid.UUID("21686148-6449-6E6F-744E-656564454649").bytes_le
_MBR_ESP = 0xEF
_MBR_PROTECTIVE = 0xEE
_ISO_SECTOR = 2048
_EL_TORITO_EFI = 0xEF
_EL_TORITO_X86 = 0


@dataclass(frozen=True)
class Bootable:
    """Whether an image boots under UEFI and under BIOS; None: it does not say."""

    uefi: bool | None = None
    bios: bool | None = None


def disk_bootable(head: bytes) -> Bootable:
    """Return how the disk that begins with ``head`` boots.

    Without a partition table nothing is known: it may be a bare file system that a kernel given to QEMU mounts.
    """
    if len(head) < 512 or head[510:512] != b"\x55\xaa":
        return Bootable()
    types = [head[446 + 16 * index + 4] for index in range(4)]
    if not any(types):
        return Bootable()
    code = any(head[:440])
    if _MBR_PROTECTIVE in types:
        return _gpt_bootable(head, code=code)
    return Bootable(uefi=_MBR_ESP in types, bios=code)


def _gpt_bootable(head: bytes, *, code: bool) -> Bootable:
    for sector in (512, 4096):
        if head.startswith(b"EFI PART", sector) and len(head) >= sector + 92:
            types = _gpt_types(head, sector)
            return Bootable(uefi=_ESP in types, bios=code or _BIOS_BOOT in types)
    return Bootable()


def _gpt_types(head: bytes, sector: int) -> set[bytes]:
    first, count, size = struct.unpack_from("<QII", head, sector + 72)
    if not 128 <= size <= 4096:
        return set()
    start = first * sector
    starts = range(start, min(start + size * min(count, 256), len(head)), size)
    return {head[offset : offset + 16] for offset in starts}


def disc_bootable(head: bytes) -> Bootable:
    """Return how the ISO 9660 disc that begins with ``head`` boots; only an El Torito catalogue inside ``head`` is seen."""
    record = head[17 * _ISO_SECTOR : 18 * _ISO_SECTOR]
    if not record.startswith(b"\x00CD001\x01EL TORITO SPECIFICATION"):
        return Bootable(uefi=False, bios=False)
    start = int.from_bytes(record[71:75], "little") * _ISO_SECTOR
    catalogue = head[start : start + _ISO_SECTOR]
    if len(catalogue) < 64 or catalogue[0] != 1:
        return Bootable()
    platforms = _el_torito_platforms(catalogue)
    return Bootable(uefi=_EL_TORITO_EFI in platforms, bios=_EL_TORITO_X86 in platforms)


def _el_torito_platforms(catalogue: bytes) -> set[int]:
    """The validation entry names the platform of the first boot entry; section headers (0x90, last 0x91) those of the rest."""
    platforms = {catalogue[1]} if catalogue[32] == 0x88 else set()
    offset = 64
    while offset + 32 <= len(catalogue) and catalogue[offset] in (0x90, 0x91):
        platforms.add(catalogue[offset + 1])
        entries = int.from_bytes(catalogue[offset + 2 : offset + 4], "little")
        if catalogue[offset] == 0x91:
            break
        offset += 32 * (1 + entries)
    return platforms
