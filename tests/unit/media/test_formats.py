import contextlib
import os
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quarterdeck.errors import MediaError
from quarterdeck.media.bootable import Bootable, disc_bootable, disk_bootable
from quarterdeck.media.formats import ImageFormat, detect_format
from quarterdeck.media.references import read_references

SECTOR = b"\x00" * 512


def write(folder, content: bytes):
    path = folder / "image"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"QFI\xfb\x00\x00\x00\x03" + SECTOR, ImageFormat.QCOW2),
        (b"QFI\xfb\x00\x00\x00\x02" + SECTOR, ImageFormat.QCOW2),
        (b"QFI\xfb\x00\x00\x00\x01" + SECTOR, ImageFormat.QCOW),
        (b"QED\x00" + SECTOR, ImageFormat.QED),
        (b"KDMV" + SECTOR, ImageFormat.VMDK),
        (b"COWD" + SECTOR, ImageFormat.VMDK),
        (b"# Disk DescriptorFile\nversion=1\n" + SECTOR, ImageFormat.VMDK),
        (b"vhdxfile" + SECTOR, ImageFormat.VHDX),
        (b"conectix" + SECTOR, ImageFormat.VPC),
        (SECTOR * 4 + b"conectix" + b"\x00" * 504, ImageFormat.VPC),
        (SECTOR * 4 + b"koly" + b"\x00" * 508, ImageFormat.DMG),
        (b"\x00" * 64 + b"\x7f\x10\xda\xbe" + SECTOR, ImageFormat.VDI),
        (b"WithoutFreeSpace" + SECTOR, ImageFormat.PARALLELS),
        (b"\x00" * 32769 + b"CD001" + SECTOR, ImageFormat.ISO),
        (SECTOR, ImageFormat.RAW),
        (b"anything" + SECTOR, ImageFormat.RAW),
    ],
)
def test_formats_are_told_by_content(tmp_path, content, expected):
    assert detect_format(write(tmp_path, content)) is expected


def test_an_iso_is_raw_to_qemu():
    assert ImageFormat.ISO.driver == "raw"
    assert ImageFormat.QCOW2.driver == "qcow2"


@pytest.mark.parametrize(
    ("magic", "command"),
    [
        (b"\x1f\x8b\x08", "gunzip"),
        (b"\xfd7zXZ\x00", "unxz"),
        (b"\x28\xb5\x2f\xfd", "unzstd"),
        (b"BZh9", "bunzip2"),
        (b"PK\x03\x04", "unzip"),
        (b"7z\xbc\xaf\x27\x1c", "7z x"),
        (b"Rar!\x1a\x07\x01\x00", "bsdtar -xf"),
    ],
)
def test_compressed_images_say_how_to_unpack_them(tmp_path, magic, command):
    with pytest.raises(MediaError) as caught:
        detect_format(write(tmp_path, magic + SECTOR))
    assert caught.value.key == "image-compressed"
    assert command in caught.value.hint


def test_a_tar_is_not_taken_for_a_disk(tmp_path):
    with pytest.raises(MediaError):
        detect_format(write(tmp_path, b"a".ljust(257, b"\x00") + b"ustar" + SECTOR))


@pytest.mark.parametrize(("content", "key"), [(b"", "image-empty"), (b"short", "image-not-a-disk")])
def test_files_that_hold_no_disk_are_refused(tmp_path, content, key):
    with pytest.raises(MediaError) as caught:
        detect_format(write(tmp_path, content))
    assert caught.value.key == key


def test_folders_missing_files_pipes_and_nul_bytes_are_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    cases = {
        tmp_path: "image-is-folder",
        tmp_path / "absent": "image-missing",
        tmp_path / "pipe": "image-not-a-file",
        tmp_path / "a\x00b": "image-missing",
    }
    for path, key in cases.items():
        with pytest.raises(MediaError) as caught:
            detect_format(path)
        assert caught.value.key == key


def qcow2(*, backing: bytes = b"", data_file: bytes = b"") -> bytes:
    extension = (
        struct.pack(">II", 0x44415441, len(data_file)) + data_file.ljust((len(data_file) + 7) // 8 * 8, b"\x00") if data_file else b""
    )
    header = bytearray(104)
    struct.pack_into(">4sIQIIQ", header, 0, b"QFI\xfb", 3, 0, 0, 16, 1 << 20)
    struct.pack_into(">Q", header, 72, 4 if data_file else 0)
    struct.pack_into(">I", header, 100, 104)
    body = bytes(header) + extension + bytes(8)
    if backing:
        struct.pack_into(">QI", header, 8, len(body), len(backing))
        body = bytes(header) + extension + bytes(8)
    return body + backing + SECTOR


def test_backing_and_data_files_of_qcow2_are_read_from_the_header(tmp_path):
    path = write(tmp_path, qcow2(backing=b"/etc/shadow", data_file=b"/etc/passwd"))
    assert read_references(path, ImageFormat.QCOW2).all() == ("/etc/shadow", "/etc/passwd")


def test_a_data_file_without_a_name_is_still_a_reference(tmp_path):
    content = bytearray(qcow2())
    struct.pack_into(">Q", content, 72, 4)
    assert read_references(write(tmp_path, bytes(content)), ImageFormat.QCOW2).data


def test_extents_and_parents_of_vmdk_descriptors_are_read(tmp_path):
    text = b'# Disk DescriptorFile\nparentFileNameHint="/etc/shadow"\nRW 100 FLAT "/etc/passwd" 0\nrw 5 SPARSE "b.vmdk"\n'
    references = read_references(write(tmp_path, text + SECTOR), ImageFormat.VMDK)
    assert references.all() == ("/etc/shadow", "/etc/passwd", "b.vmdk")


@settings(deadline=None)
@given(st.sampled_from(list(ImageFormat)), st.binary(max_size=2048))
def test_hostile_headers_never_crash(tmp_path_factory, kind, garbage):
    magic = {"qcow2": b"QFI\xfb\x00\x00\x00\x03", "qcow": b"QFI\xfb\x00\x00\x00\x01", "qed": b"QED\x00", "vmdk": b"KDMV"}.get(
        kind.value, b""
    )
    path = tmp_path_factory.getbasetemp() / "garbage"
    path.write_bytes(magic + garbage + b"\x00")
    read_references(path, kind)
    with contextlib.suppress(MediaError):
        detect_format(path)


@settings(deadline=None)
@given(st.binary(max_size=4096))
def test_hostile_partition_tables_never_crash(garbage):
    disk_bootable(garbage)
    disk_bootable(b"\x01" * 450 + b"\xee" + b"\x00" * 59 + b"\x55\xaa" + b"EFI PART" + garbage)
    disc_bootable(garbage)
    disc_bootable(bytes(17 * 2048) + b"\x00CD001\x01EL TORITO SPECIFICATION".ljust(71, b"\x00") + garbage)


def mbr(kind: int, *, code: bytes = b"") -> bytes:
    entry = bytes([0, 0, 0, 0, kind]) + bytes(11)
    return code.ljust(446, b"\x00") + entry + bytes(48) + b"\x55\xaa"


def gpt(kind: bytes) -> bytes:
    header = b"EFI PART".ljust(72, b"\x00") + struct.pack("<QII", 2, 128, 128)
    return mbr(0xEE) + header.ljust(512, b"\x00") + kind.ljust(128, b"\x00")


def test_a_gpt_with_an_esp_boots_under_uefi():
    esp = bytes.fromhex("28732ac11ff8d211ba4b00a0c93ec93b")
    assert disk_bootable(gpt(esp)) == Bootable(uefi=True, bios=False)


def test_a_gpt_with_a_bios_boot_partition_boots_under_bios():
    assert disk_bootable(gpt(b"Hah!IdontNeedEFI")) == Bootable(uefi=False, bios=True)


def test_an_mbr_boots_by_code_or_by_its_esp():
    assert disk_bootable(mbr(0x83, code=b"\xeb\x63")) == Bootable(uefi=False, bios=True)
    assert disk_bootable(mbr(0xEF)) == Bootable(uefi=True, bios=False)


def test_without_a_partition_table_nothing_is_known():
    assert disk_bootable(bytes(4096)) == Bootable()


def disc(*entries: bytes) -> bytes:
    record = b"\x00CD001\x01EL TORITO SPECIFICATION".ljust(71, b"\x00") + (19).to_bytes(4, "little")
    catalogue = b"\x01\x00".ljust(32, b"\x00") + b"".join(entry.ljust(32, b"\x00") for entry in entries)
    return bytes(17 * 2048) + record.ljust(2048, b"\x00") + bytes(2048) + catalogue.ljust(2048, b"\x00")


def test_a_disc_boots_by_the_platforms_of_its_catalogue():
    assert disc_bootable(disc(b"\x88")) == Bootable(uefi=False, bios=True)
    assert disc_bootable(disc(b"\x88", b"\x91\xef\x01\x00", b"\x88")) == Bootable(uefi=True, bios=True)
    assert disc_bootable(disc(b"\x00", b"\x91\xef\x01\x00", b"\x88")) == Bootable(uefi=True, bios=False)
    assert disc_bootable(bytes(40960)) == Bootable(uefi=False, bios=False)
