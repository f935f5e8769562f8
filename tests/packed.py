"""Packed images that tests make themselves: what no program at hand writes, and what no honest program would."""

import io
import random
import struct
import tarfile
import zipfile
import zlib
from pathlib import Path

from quarterdeck.errors import MediaError
from quarterdeck.media.packing.limits import Budget, Limits
from quarterdeck.media.packing.selection import Place, Selection
from quarterdeck.media.packing.settle import Settled
from quarterdeck.media.packing.walk import Walker
from quarterdeck.media.packing.window import Window

SECTOR = 512
GRAIN = 128 * SECTOR


def disk(size: int = 2 << 20, seed: int = 1) -> bytes:
    """A disk with a partition table, some data and many zeros."""
    random_bytes = random.Random(seed)
    content = bytearray(size)
    for offset in (SECTOR, size // 3, size // 2 + 4096, size - 2048):
        content[offset : offset + 1500] = random_bytes.randbytes(1500)
    entry = bytes([0x80, 0, 0, 0, 0x83, 0, 0, 0]) + struct.pack("<II", 64, size // SECTOR - 64)
    content[446:512] = entry + bytes(48) + b"\x55\xaa"
    return bytes(content)


class MemorySource:
    """Bytes that come in pieces of ``step``, as from a slow network."""

    def __init__(self, content: bytes, *, step: int = 1 << 20, folder: Path | None = None) -> None:
        self.name = "download"
        self.size: int | None = len(content)
        self._file = io.BytesIO(content)
        self._step = step
        self._folder = folder

    def read(self, size: int) -> bytes:
        return self._file.read(min(size, self._step))

    def whole(self) -> Path:
        if self._folder is None:
            raise MediaError("not-on-disk", "these bytes are in no file")
        path = self._folder / "whole"
        path.write_bytes(self._file.getvalue())
        return path


def find_image(content: bytes, folder: Path, *, member: str | None = None, limits: Limits | None = None, step: int = 1 << 20) -> Settled:
    """Walk through ``content`` without any other program."""
    budget = Budget(limits or Limits(), "download")
    source = MemorySource(content, step=step)
    selection = Selection(folder, budget, member)
    budget.take(len(content))
    Walker(source, selection, folder, budget=budget).walk(Window(source, source.name), Place(source.name))
    return selection.result(source.name)


def make_tar(members: dict[str, bytes], *, format: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=format) as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def make_zip(members: dict[str, bytes], *, method: int = zipfile.ZIP_DEFLATED, seekable: bool = True) -> bytes:
    out = io.BytesIO()
    target = out if seekable else Pipe(out)
    with zipfile.ZipFile(target, "w", method) as archive:  # type: ignore[call-overload]  # a pipe is a file, too
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


class Pipe:
    """A file that cannot go back, so that a zip in it needs data descriptors."""

    def __init__(self, file: io.BytesIO) -> None:
        self._file = file

    def write(self, data: bytes) -> int:
        return self._file.write(data)

    def flush(self) -> None:
        pass


def stream_vmdk(content: bytes, *, end: bool = True) -> bytes:
    """A stream-optimised VMDK with its directory and footer behind the grains, as VMware and VirtualBox write it."""
    capacity = len(content) // SECTOR
    head = _vmdk_header(capacity, directory=(1 << 64) - 1)
    out = bytearray(head.ljust(SECTOR, b"\x00") + b"# Disk DescriptorFile\n".ljust(20 * SECTOR, b"\x00"))
    out += bytes(128 * SECTOR - len(out))
    tables: list[int] = []
    for first in range(0, len(content), 512 * GRAIN):
        entries = []
        for offset in range(first, min(first + 512 * GRAIN, len(content)), GRAIN):
            grain = content[offset : offset + GRAIN]
            entries.append(len(out) // SECTOR if any(grain) else 0)
            if any(grain):
                packed = zlib.compress(grain)
                out += _padded(struct.pack("<QI", offset // SECTOR, len(packed)) + packed)
        out += _marker(4, 1)
        tables.append(len(out) // SECTOR)
        out += struct.pack("<512I", *entries, *[0] * (512 - len(entries)))
    out += _marker(1, 2)
    directory = len(out) // SECTOR
    out += _padded(struct.pack(f"<{len(tables)}I", *tables))
    out += _marker(1, 3) + _vmdk_header(capacity, directory=directory).ljust(SECTOR, b"\x00")
    return bytes(out) + (_marker(0, 0) if end else b"")


def _vmdk_header(capacity: int, *, directory: int) -> bytes:
    return struct.pack("<4sIIQQQQIQQQB4sH", b"KDMV", 3, 0x30001, capacity, 128, 1, 20, 512, 0, directory, 128, 0, b"\n \r\n", 1)


def _marker(sectors: int, kind: int) -> bytes:
    return struct.pack("<QII", sectors, 0, kind).ljust(SECTOR, b"\x00")


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % SECTOR)


def make_rar(members: dict[str, bytes]) -> bytes:
    """A RAR 5 archive of stored files (technote of RARLAB: headers of checksum, size, type, flags, and numbers of 7 bits a byte)."""
    out = b"Rar!\x1a\x07\x01\x00" + _rar_header(b"\x01\x00\x00")
    for name, content in members.items():
        path = name.encode()
        # File flags 4: with CRC32; attributes, CRC, method 0 (stored), system 1 (Unix).
        fields = b"\x04" + _vint(len(content)) + _vint(0o100644) + struct.pack("<I", zlib.crc32(content)) + b"\x00\x01"
        out += _rar_header(b"\x02\x02" + _vint(len(content)) + fields + _vint(len(path)) + path) + content
    return out + _rar_header(b"\x05\x00\x00")


def _rar_header(body: bytes) -> bytes:
    sized = _vint(len(body)) + body
    return struct.pack("<I", zlib.crc32(sized)) + sized


def _vint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def make_vdi(content: bytes) -> bytes:
    """A dynamic VDI whose blocks stand in reverse order."""
    block = 1 << 20
    count = -(-len(content) // block)
    pieces = [(number, content[number * block : (number + 1) * block].ljust(block, b"\x00")) for number in range(count)]
    kept = [(number, piece) for number, piece in reversed(pieces) if any(piece)]
    table = [0xFFFFFFFF] * count
    for place, (number, _) in enumerate(kept):
        table[number] = place
    head = bytearray(SECTOR)
    struct.pack_into("<III", head, 64, 0xBEDA107F, 0x00010001, 400)
    struct.pack_into("<I", head, 76, 1)
    struct.pack_into("<II", head, 340, SECTOR, 2 * SECTOR)
    struct.pack_into("<QIIII", head, 368, len(content), block, 0, count, len(kept))
    return bytes(head) + _padded(struct.pack(f"<{count}I", *table)) + b"".join(piece for _, piece in kept)


def make_vhd(content: bytes) -> bytes:
    """A dynamic VHD with blocks of 64 KiB."""
    block = 1 << 16
    count = -(-len(content) // block)
    footer = bytearray(b"conectix".ljust(SECTOR, b"\x00"))
    struct.pack_into(">Q", footer, 16, SECTOR)
    struct.pack_into(">QQ", footer, 40, len(content), len(content))
    struct.pack_into(">I", footer, 60, 3)
    struct.pack_into(">I", footer, 64, ~sum(footer) & 0xFFFFFFFF)
    head = bytearray(b"cxsparse".ljust(1024, b"\x00"))
    struct.pack_into(">QIII", head, 16, 3 * SECTOR, 0x10000, count, block)
    struct.pack_into(">I", head, 36, ~sum(head) & 0xFFFFFFFF)
    table, data = [0xFFFFFFFF] * count, bytearray()
    start = 3 * SECTOR + len(_padded(bytes(4 * count)))
    for number in range(count):
        piece = content[number * block : (number + 1) * block]
        if any(piece):
            table[number] = (start + len(data)) // SECTOR
            data += b"\xff" * SECTOR + piece.ljust(block, b"\x00")
    return bytes(footer) + bytes(head) + _padded(struct.pack(f">{count}I", *table)) + bytes(data) + bytes(footer)


def sparse_vmdk(content: bytes) -> bytes:
    """A monolithic sparse VMDK: directory, one table, grains."""
    grains = [content[offset : offset + GRAIN] for offset in range(0, len(content), GRAIN)]
    assert len(grains) <= 512
    fields = (b"KDMV", 1, 3, len(content) // SECTOR, 128, 1, 20, 512, 0, 21, 128, 0, b"\n \r\n", 0)
    head = struct.pack("<4sIIQQQQIQQQB4sH", *fields).ljust(SECTOR, b"\x00") + b"# Disk DescriptorFile\n".ljust(20 * SECTOR, b"\x00")
    entries, data = [], bytearray()
    for grain in grains:
        entries.append(128 + len(data) // SECTOR if any(grain) else 0)
        data += grain if any(grain) else b""
    tables = struct.pack("<I", 22).ljust(SECTOR, b"\x00") + struct.pack(f"<{len(entries)}I", *entries)
    return (head + tables).ljust(128 * SECTOR, b"\x00") + bytes(data)
