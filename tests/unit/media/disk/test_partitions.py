import struct
import uuid
import zlib

import pytest

from quarterdeck.media.disk.gpt import read_gpt
from quarterdeck.media.disk.partitions import read_table

MIB = 1 << 20
ESP = uuid.UUID("c12a7328-f81f-11d2-ba4b-00a0c93ec93b")


def gpt_head(size: int, parts: list[tuple[int, int, str]], sector: int = 512) -> bytes:
    """Return the first megabyte of a disk of ``size`` bytes with ``parts``: first byte, bytes, name."""
    table = b"".join(
        ESP.bytes_le + uuid.UUID(int=number).bytes_le + struct.pack("<QQQ", start // sector, (start + length) // sector - 1, 0)
        + name.encode("utf-16-le").ljust(72, b"\0")
        for number, (start, length, name) in enumerate(parts, 1)
    ).ljust(128 * 128, b"\0")  # fmt: skip
    last = size // sector - 1
    blocks = len(table) // sector

    def header(checksum: int) -> bytes:
        fields = (b"EFI PART", 0x10000, 92, checksum, 0, 1, last, 2 + blocks, last - blocks - 1, bytes(16), 2, 128, 128, zlib.crc32(table))
        return struct.pack("<8sIIIIQQQQ16sQIII", *fields)

    mbr = bytes(446) + struct.pack("<B3xB3xII", 0, 0xEE, 1, last) + bytes(48) + b"\x55\xaa"
    first = header(zlib.crc32(header(0)))
    return (mbr.ljust(sector, b"\0") + first.ljust(sector, b"\0") + table).ljust(MIB, b"\0")


@pytest.mark.parametrize("sector", [512, 4096])
def test_a_gpt_is_read(sector):
    table = read_table(gpt_head(64 * MIB, [(MIB, 8 * MIB, "esp"), (9 * MIB, MIB, "ünï")], sector), 64 * MIB)
    assert table is not None
    assert (table.scheme, table.flaw) == ("gpt", "")
    assert [(one.number, one.start, one.size, one.type, one.name) for one in table.partitions] == [
        (1, MIB, 8 * MIB, "EFI system", "esp"),
        (2, 9 * MIB, MIB, "EFI system", "ünï"),
    ]
    assert table.needed == 10 * MIB + 128 * 128 + sector


@pytest.mark.parametrize("sector", [512, 4096])
def test_a_moved_copy_makes_a_table_without_a_flaw(sector):
    head = gpt_head(64 * MIB, [(MIB, 8 * MIB, "esp")], sector)
    disk = bytearray(head)
    larger = 128 * MIB
    gpt = read_gpt(head)
    assert gpt is not None
    assert "not at the end" in (read_table(head, larger) or pytest.fail("no table")).flaw
    parts = gpt.moved(larger)
    for place, data in parts:
        assert place + len(data) <= larger
        if place < MIB:
            disk[place : place + len(data)] = data
    moved = read_table(bytes(disk), larger)
    assert moved is not None
    assert (moved.flaw, moved.partitions) == ("", read_table(head, 64 * MIB).partitions)  # type: ignore[union-attr]
    # The copy is one itself, that names its own place and the one in front.
    (_, table), (place, back), (front, _) = parts
    assert (place, front) == (larger - sector, sector)
    assert struct.unpack_from("<QQ", back, 24) == (larger // sector - 1, 1)
    assert table == gpt.table


def test_a_table_whose_checksum_is_wrong_is_told_and_not_used():
    head = bytearray(gpt_head(64 * MIB, [(MIB, 8 * MIB, "esp")]))
    head[1024 + 40] ^= 1
    table = read_table(bytes(head), 64 * MIB)
    assert table is not None
    assert (table.gpt, table.partitions, table.flaw) == (None, (), "its checksums are wrong")


@pytest.mark.parametrize("length", [0, 100, 512, 600, 1024, 5000])
def test_a_head_that_stops_anywhere_is_no_error(length):
    read_table(gpt_head(64 * MIB, [(MIB, MIB, "x")])[:length], 64 * MIB)


def test_an_mbr_is_read_and_one_that_is_too_long_told():
    head = bytes(446) + struct.pack("<B3xB3xII", 0x80, 0x83, 2048, 4096) + bytes(48) + b"\x55\xaa"
    table = read_table(head, 64 * MIB)
    assert table is not None
    assert (table.scheme, table.needed, table.flaw) == ("dos", 3 * MIB, "")
    assert [one.type for one in table.partitions] == ["Linux"]
    assert (read_table(head, 2 * MIB) or pytest.fail("no table")).flaw == "it reaches beyond the end of the disk"


def test_the_boot_sector_of_a_file_system_is_no_partition_table():
    assert read_table(b"\xeb\x3c\x90mkfs.fat" + b"text" * 110 + bytes(59) + b"\x55\xaa", MIB) is None
    assert read_table(bytes(MIB), MIB) is None
