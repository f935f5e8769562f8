import hashlib
import struct

import pytest
from tests.packed import SECTOR, disk, find_image, make_tar, make_vdi, make_vhd, make_zip, sparse_vmdk, stream_vmdk

from quarterdeck.errors import MediaError
from quarterdeck.media.packing.limits import Limits

DISK = disk()
VMDK = stream_vmdk(DISK)
OVF = b'<?xml version="1.0"?><Envelope xmlns:ovf="o"><References>%s</References><DiskSection>%s</DiskSection></Envelope>'
FILE = b'<File ovf:id="%s" ovf:href="%s" ovf:size="1"/>'
USE = b'<Disk ovf:diskId="d" ovf:fileRef="%s"/>'


def package(*names: str, disks: tuple[str, ...] = ("disk.vmdk",)) -> bytes:
    files = b"".join(FILE % (name.encode(), name.encode()) for name in names)
    return OVF % (files, b"".join(USE % name.encode() for name in disks))


def manifest(members: dict[str, bytes], algorithm: str = "SHA256") -> bytes:
    lines = [f"{algorithm}({name})= {hashlib.new(algorithm.lower(), content).hexdigest()}\n" for name, content in members.items()]
    return "".join(lines).encode()


@pytest.mark.parametrize("step", [1 << 20, 997])
def test_a_stream_optimised_vmdk_is_decoded_as_it_comes(tmp_path, step):
    assert find_image(VMDK, tmp_path, step=step).path.read_bytes() == DISK


def test_a_disk_of_more_than_one_grain_table_is_decoded(tmp_path):
    big = DISK + bytes(40 << 20) + DISK + bytes(3 * SECTOR)
    assert find_image(stream_vmdk(big), tmp_path).path.read_bytes() == big


@pytest.mark.parametrize("cut", [0.2, 0.9, 0.99])
def test_a_stream_optimised_vmdk_that_is_cut_off_is_refused(tmp_path, cut):
    with pytest.raises(MediaError) as caught:
        find_image(VMDK[: int(len(VMDK) * cut)], tmp_path)
    assert caught.value.key == "archive-truncated"


def test_a_stream_optimised_vmdk_without_its_end_mark_is_refused(tmp_path):
    with pytest.raises(MediaError) as caught:
        find_image(stream_vmdk(DISK, end=False), tmp_path)
    assert caught.value.key == "archive-truncated"


@pytest.mark.parametrize(
    ("offset", "value"),
    [
        (0, struct.pack("<Q", 128)),  # another grain's place
        (0, struct.pack("<Q", 1)),  # inside a grain
        (0, struct.pack("<Q", 1 << 40)),  # outside the disk
        (8, struct.pack("<I", 1 << 30)),  # a length that cannot be
        (40, b"\xff\xff\xff\xff"),  # data
    ],
)
def test_damaged_grains_are_noticed(tmp_path, offset, value):
    content = bytearray(VMDK)
    start = 128 * SECTOR + offset
    content[start : start + len(value)] = value
    with pytest.raises(MediaError):
        find_image(bytes(content), tmp_path)


def test_a_grain_that_is_left_out_is_noticed(tmp_path):
    marker = VMDK[128 * SECTOR :]
    size = 12 + int.from_bytes(marker[8:12], "little")
    with pytest.raises(MediaError) as caught:
        find_image(VMDK[: 128 * SECTOR] + marker[size + -size % SECTOR :], tmp_path)
    assert "table" in caught.value.reason


def test_a_vmdk_that_claims_a_huge_disk_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(MediaError) as caught:
        find_image(VMDK, tmp_path, limits=Limits(size=1 << 20))
    assert caught.value.key == "image-too-large"


def test_the_disk_of_an_ova_is_found_and_held_against_the_manifest(tmp_path):
    members = {"vm.ovf": package("disk.vmdk", "extra.iso"), "disk.vmdk": VMDK}
    extra = {"extra.iso": bytes(16 * 2048) + b"\x01CD001".ljust(2048, b"\x00") + bytes(1 << 20)}
    content = make_tar({"vm.ovf": members["vm.ovf"], "vm.mf": manifest(members), "disk.vmdk": VMDK, **extra})
    assert find_image(content, tmp_path).path.read_bytes() == DISK


@pytest.mark.parametrize("algorithm", ["SHA1", "SHA256", "SHA512"])
@pytest.mark.parametrize("first", [True, False])
def test_a_member_that_the_manifest_contradicts_is_refused(tmp_path, algorithm, first):
    ovf = package("disk.vmdk")
    wrong = {"vm.mf": manifest({"vm.ovf": ovf, "disk.vmdk": DISK}, algorithm)}
    members = {"vm.ovf": ovf, **wrong, "disk.vmdk": VMDK} if first else {"vm.ovf": ovf, "disk.vmdk": VMDK, **wrong}
    with pytest.raises(MediaError) as caught:
        find_image(make_tar(members), tmp_path)
    assert "disk.vmdk" in caught.value.reason
    assert "manifest" in caught.value.reason


def test_a_changed_description_is_noticed_by_the_manifest(tmp_path):
    ovf = package("disk.vmdk")
    content = make_tar({"vm.ovf": ovf + b" ", "vm.mf": manifest({"vm.ovf": ovf}), "disk.vmdk": VMDK})
    with pytest.raises(MediaError):
        find_image(content, tmp_path)


def test_a_member_that_the_manifest_misses_is_noticed(tmp_path):
    ovf = package("disk.vmdk")
    content = make_tar({"vm.ovf": ovf, "vm.mf": manifest({"vm.ovf": ovf, "gone": b""}), "disk.vmdk": VMDK})
    with pytest.raises(MediaError) as caught:
        find_image(content, tmp_path)
    assert "gone" in caught.value.reason


def test_all_disks_of_an_ova_are_listed_and_one_can_be_named(tmp_path):
    content = make_zip(
        {"vm.ovf": package("a.vmdk", "b.vmdk", disks=("a.vmdk", "b.vmdk")), "a.vmdk": VMDK, "b.vmdk": stream_vmdk(disk(seed=3))}
    )
    with pytest.raises(MediaError) as caught:
        find_image(content, tmp_path)
    assert caught.value.reason == "a.vmdk, b.vmdk"
    (tmp_path / "again").mkdir()
    assert find_image(content, tmp_path / "again", member="b.vmdk").path.read_bytes() == disk(seed=3)


def test_disks_in_chunks_are_refused_in_words(tmp_path):
    ovf = OVF % (b'<File ovf:id="a" ovf:href="a.vmdk" ovf:chunkSize="7"/>', USE % b"a")
    with pytest.raises(MediaError) as caught:
        find_image(make_tar({"vm.ovf": ovf, "a.vmdk.000000000": VMDK}), tmp_path)
    assert "chunks" in caught.value.reason


def test_a_split_disk_without_one_of_its_extents_is_refused(tmp_path):
    text = b'# Disk DescriptorFile\nversion=1\nRW 100 FLAT "disk-flat.vmdk" 0\nRW 100 FLAT "../../etc/shadow" 0\n'
    with pytest.raises(MediaError) as caught:
        find_image(make_tar({"disk-flat.vmdk": DISK, "disk.vmdk": text}), tmp_path)
    assert caught.value.key == "image-extent-missing"
    assert "shadow" in caught.value.reason


def test_a_flat_extent_alone_is_the_disk(tmp_path):
    assert find_image(make_zip({"disk-flat.vmdk": DISK}), tmp_path).path.read_bytes() == DISK


def test_a_split_disk_of_vmware_is_put_together_wherever_its_descriptor_stands(tmp_path):
    extent = bytearray(stream_vmdk(DISK))
    extent[28:44] = bytes(16)  # no descriptor inside
    text = b'# Disk DescriptorFile\nversion=1\nRW 100 SPARSE "vm-s001.vmdk"\nRW 100 SPARSE "vm-s002.vmdk"\n'
    extents = {"vm/vm-s001.vmdk": bytes(extent), "vm/vm-s002.vmdk": bytes(extent)}
    for number, members in enumerate(({"vm/vm.vmdk": text, **extents}, {**extents, "vm/vm.vmdk": text, "vm/vm.vmx": b"text\n"})):
        folder = tmp_path / str(number)
        folder.mkdir()
        found = find_image(make_zip(members), folder)
        assert found.path.read_bytes() == text
        assert sorted(path.name for path in found.path.parent.iterdir()) == [".descriptor.vmdk", "vm-s001.vmdk", "vm-s002.vmdk"]
    only = tmp_path / "only"
    only.mkdir()
    assert find_image(make_zip({"x.vmdk": bytes(extent)}), only).path.read_bytes() == bytes(extent)


@pytest.mark.parametrize("make", [make_vdi, make_vhd, sparse_vmdk])
@pytest.mark.parametrize("step", [1 << 20, 997])
def test_images_with_their_tables_in_front_are_decoded_as_they_come(tmp_path, make, step):
    found = find_image(make_zip({"disk": make(DISK)}), tmp_path, step=step)
    assert found.decoded
    assert found.path.read_bytes() == DISK


@pytest.mark.parametrize("make", [make_vdi, make_vhd, sparse_vmdk])
def test_images_with_their_tables_in_front_may_not_be_cut_off(tmp_path, make):
    content = make(DISK)
    with pytest.raises(MediaError) as caught:
        find_image(content[: len(content) - 5000], tmp_path)
    assert caught.value.key == "archive-truncated"


def test_blocks_that_overlap_are_left_to_qemu(tmp_path):
    """One block in the file for many on the disk would make much of little."""
    content = bytearray(sparse_vmdk(DISK))
    table = 22 * SECTOR
    content[table + 4 : table + 8] = content[table : table + 4]
    assert not find_image(bytes(content), tmp_path).decoded
