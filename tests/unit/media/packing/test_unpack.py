import gzip
import os
import struct
import uuid
from types import SimpleNamespace

import pytest
from tests.packed import SECTOR, MemorySource, disk, make_tar, make_zip, stream_vmdk

from quarterdeck.errors import HostError, MediaError
from quarterdeck.media.formats import ImageFormat
from quarterdeck.media.packing.source import FileSource
from quarterdeck.media.packing.unpack import unpack_image

DISK = disk()
ISO_BLOCKS = 600


def iso(blocks: int = ISO_BLOCKS) -> bytes:
    descriptor = bytearray(b"\x01CD001\x01".ljust(2048, b"\x00"))
    struct.pack_into("<I", descriptor, 80, ISO_BLOCKS)
    struct.pack_into("<H", descriptor, 128, 2048)
    return (bytes(16 * 2048) + bytes(descriptor)).ljust(blocks * 2048, b"\x00")


def gpt(sectors: int, *, last: int) -> bytes:
    header = bytearray(SECTOR)
    header[:8] = b"EFI PART"
    struct.pack_into("<QII", header, 72, 2, 4, 128)
    entry = uuid.uuid4().bytes_le + uuid.uuid4().bytes_le + struct.pack("<QQ", 64, last)
    return (bytes(SECTOR) + bytes(header) + entry.ljust(512, b"\x00")).ljust(sectors * SECTOR, b"\x00")


def fixed_vhd(content: bytes, *, size: int | None = None) -> bytes:
    footer = bytearray(b"conectix".ljust(SECTOR, b"\x00"))
    struct.pack_into(">QQ", footer, 40, size or len(content), size or len(content))
    struct.pack_into(">I", footer, 60, 2)
    struct.pack_into(">I", footer, 64, ~sum(footer) & 0xFFFFFFFF)
    return content + bytes(footer)


@pytest.mark.parametrize(
    ("content", "format", "name", "expected"),
    [
        (gzip.compress(DISK), ImageFormat.RAW, "disk.raw", DISK),
        (make_tar({"disc": iso()}), ImageFormat.ISO, "disc.iso", iso()),
        (make_zip({"a": stream_vmdk(DISK)}), ImageFormat.RAW, "disk.raw", DISK),
        (fixed_vhd(DISK), ImageFormat.RAW, "disk.raw", DISK),
        (make_zip({"a": fixed_vhd(bytes(1 << 20))}), ImageFormat.RAW, "disk.raw", bytes(1 << 20)),
    ],
)
def test_one_image_is_all_that_is_left(tmp_path, content, format, name, expected):
    image = unpack_image(MemorySource(content), tmp_path)
    assert (image.path, image.format) == (tmp_path / name, format)
    assert image.path.read_bytes() == expected
    assert list(tmp_path.iterdir()) == [image.path]
    assert image.path.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize(
    ("content", "key"),
    [
        (iso(ISO_BLOCKS - 1), "archive-truncated"),
        (gpt(2048, last=4000), "archive-truncated"),
        (fixed_vhd(DISK, size=len(DISK) + SECTOR), "archive-damaged"),
        (fixed_vhd(DISK)[:-1] + b"\x01", "archive-damaged"),
        (stream_vmdk(b"QFI\xfb\x00\x00\x00\x03" + DISK[8:]), "archive-damaged"),
        (make_tar({"tiny": DISK[:200]}), "image-missing"),
    ],
)
def test_images_that_cannot_be_are_refused_and_leave_nothing(tmp_path, content, key):
    with pytest.raises(MediaError) as caught:
        unpack_image(MemorySource(content), tmp_path)
    assert caught.value.key == key
    assert list(tmp_path.iterdir()) == []


def test_a_disk_whose_partitions_fit_is_taken(tmp_path):
    content = gpt(2048, last=2047)
    assert unpack_image(MemorySource(gzip.compress(content)), tmp_path).path.read_bytes() == content


def test_progress_counts_both_ends_and_may_end_the_work(tmp_path):
    seen: list[tuple[int, int]] = []
    content = gzip.compress(DISK)
    unpack_image(MemorySource(content, step=1000), tmp_path, progress=lambda read, stored: seen.append((read, stored)))
    assert seen[-1][0] == len(content)
    assert seen == sorted(seen)

    def stop(read: int, stored: int) -> None:
        raise InterruptedError

    folder = tmp_path / "stopped"
    folder.mkdir()
    with pytest.raises(InterruptedError):
        unpack_image(MemorySource(content), folder, progress=stop)
    assert list(folder.iterdir()) == []


def test_a_full_disk_is_told_before_it_is_full(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fstatvfs", lambda handle: SimpleNamespace(f_bavail=10, f_frsize=4096))
    with pytest.raises(HostError) as caught:
        unpack_image(MemorySource(gzip.compress(DISK)), tmp_path)
    assert caught.value.key == "disk-full"
    assert list(tmp_path.iterdir()) == []


def test_a_file_system_that_fails_is_told_in_words(tmp_path, monkeypatch):
    def fail(*words: object) -> int:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "pwrite", fail)
    with pytest.raises(HostError) as caught:
        unpack_image(MemorySource(gzip.compress(DISK)), tmp_path)
    assert caught.value.key == "disk-full"


def test_a_folder_that_is_not_there_is_told_in_words(tmp_path):
    with pytest.raises(HostError):
        unpack_image(MemorySource(DISK), tmp_path / "absent")


def test_the_error_of_a_source_is_passed_on_as_it_is(tmp_path):
    class Broken(MemorySource):
        def read(self, size: int) -> bytes:
            raise MediaError("download-broken", "the line is dead")

    with pytest.raises(MediaError) as caught:
        unpack_image(Broken(DISK), tmp_path)
    assert caught.value.key == "download-broken"


def test_a_file_is_a_source_that_is_never_changed(tmp_path):
    path = tmp_path / "disk"
    path.write_bytes(DISK)
    folder = tmp_path / "out"
    folder.mkdir()
    with FileSource(path) as source:
        assert (source.size, source.whole()) == (len(DISK), path)
        unpack_image(source, folder)
    assert path.read_bytes() == DISK
    with pytest.raises(MediaError):
        FileSource(tmp_path / "absent")
