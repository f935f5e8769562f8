import io
import tarfile
import zipfile

import pytest
from tests.packed import Pipe, disk, find_image, make_tar, make_zip

from quarterdeck.errors import MediaError
from quarterdeck.media.packing.limits import Limits

DISK = disk()
OTHER = disk(seed=2)
BLOB = b"\x01" + bytes((1 << 20) - 1)
ISO = bytes(16 * 2048) + b"\x01CD001".ljust(2048, b"\x00") + bytes(1 << 20)
FORMATS = [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]
MAKERS = [make_tar, make_zip]


@pytest.mark.parametrize("format", FORMATS)
def test_the_disk_in_a_tar_is_found_among_other_files(tmp_path, format):
    name = "a-long-folder/" * 6 + "disk.raw"
    content = make_tar({"README": b"a text\n", name: DISK, "vmlinuz": b"\x7fELF" + bytes(99), "empty": b""}, format=format)
    assert find_image(content, tmp_path).path.read_bytes() == DISK


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
@pytest.mark.parametrize("step", [1 << 20, 1021])
def test_the_disk_in_a_zip_is_found_whatever_the_method(tmp_path, method, step):
    content = make_zip({"README": b"a text\n", "folder/disk.raw": DISK, "folder/": b""}, method=method)
    assert find_image(content, tmp_path, step=step).path.read_bytes() == DISK


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
def test_a_zip_that_was_written_to_a_pipe_is_read_from_one(tmp_path, method):
    content = make_zip({"README": b"a text\n", "disk.raw": DISK, "notes": b"\x00"}, method=method, seekable=False)
    assert find_image(content, tmp_path).path.read_bytes() == DISK


def test_a_zip64_that_was_written_to_a_pipe_is_read(tmp_path):
    out = io.BytesIO()
    with zipfile.ZipFile(Pipe(out), "w", zipfile.ZIP_DEFLATED) as archive:  # type: ignore[call-overload]
        for name, content in {"README": b"text\n", "disk.raw": DISK}.items():
            with archive.open(name, "w", force_zip64=True) as member:
                member.write(content)
    assert find_image(out.getvalue(), tmp_path).path.read_bytes() == DISK


@pytest.mark.parametrize("make", MAKERS)
def test_several_images_are_an_error_that_lists_them(tmp_path, make):
    content = make({"a/one.raw": DISK, "README": b"text\n", "b/two.raw": OTHER, "disc.iso": ISO})
    with pytest.raises(MediaError) as caught:
        find_image(content, tmp_path)
    assert caught.value.key == "archive-ambiguous"
    assert caught.value.reason == "a/one.raw, b/two.raw, disc.iso"
    assert "a/one.raw" in caught.value.hint


@pytest.mark.parametrize("member", ["b/two.raw", "two.raw", "b", "b/"])
@pytest.mark.parametrize("make", MAKERS)
def test_the_member_that_was_named_is_taken(tmp_path, make, member):
    content = make({"a/one.raw": DISK, "README": b"text\n", "b/two.raw": OTHER})
    assert find_image(content, tmp_path, member=member).path.read_bytes() == OTHER


def test_a_member_of_an_inner_archive_can_be_named(tmp_path):
    content = make_zip({"one.tar": make_tar({"x": DISK}), "two.tar": make_tar({"x": OTHER, "README": b"text\n"})})
    assert find_image(content, tmp_path, member="two.tar/x").path.read_bytes() == OTHER
    (tmp_path / "again").mkdir()
    assert find_image(content, tmp_path / "again", member="two.tar").path.read_bytes() == OTHER


def test_a_member_that_is_not_there_is_an_error_that_lists_the_others(tmp_path):
    with pytest.raises(MediaError) as caught:
        find_image(make_zip({"one.raw": DISK}), tmp_path, member="three.raw")
    assert (caught.value.key, caught.value.reason) == ("member-missing", "one.raw")


@pytest.mark.parametrize("order", [("blob", "disk"), ("disk", "blob")])
def test_bytes_without_a_known_beginning_give_way_to_a_disk(tmp_path, order):
    members = {"blob": BLOB, "disk": DISK}
    assert find_image(make_tar({name: members[name] for name in order}), tmp_path).path.read_bytes() == DISK


def test_bytes_without_a_known_beginning_are_a_disk_if_nothing_else_is_there(tmp_path):
    assert find_image(make_tar({"README": b"text\n", "small": b"\x00\x01" * 300, "data": BLOB}), tmp_path).path.read_bytes() == BLOB


def test_an_archive_without_an_image_tells_what_is_in_it(tmp_path):
    with pytest.raises(MediaError) as caught:
        find_image(make_tar({"README": b"text\n", "run.sh": b"#!/bin/sh\n"}), tmp_path)
    assert caught.value.key == "image-missing"
    assert "README, run.sh" in caught.value.reason


@pytest.mark.parametrize("name", ["../disk.raw", "a/../../disk.raw", "/etc/passwd", "..\\disk.raw", "C:\\disk.raw", "C:disk.raw"])
@pytest.mark.parametrize("make", MAKERS)
def test_names_that_lead_elsewhere_are_refused(tmp_path, make, name):
    with pytest.raises(MediaError) as caught:
        find_image(make({name: DISK}), tmp_path)
    assert caught.value.key == "archive-unsafe"


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_in_a_tar_are_refused(tmp_path, kind):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        info = tarfile.TarInfo("disk.raw")
        info.type, info.linkname = kind, "/etc/shadow"
        archive.addfile(info)
    with pytest.raises(MediaError) as caught:
        find_image(out.getvalue(), tmp_path)
    assert caught.value.key == "archive-unsafe"


def test_a_link_in_a_zip_is_refused(tmp_path):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("disk.raw", DISK)
        info = zipfile.ZipInfo("link")
        info.create_system, info.external_attr = 3, 0o120777 << 16
        archive.writestr(info, "/etc/shadow")
    with pytest.raises(MediaError) as caught:
        find_image(out.getvalue(), tmp_path)
    assert (caught.value.key, "link" in caught.value.reason) == ("archive-unsafe", True)


def test_two_members_of_one_name_are_refused(tmp_path):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for content in (DISK, OTHER):
            info = tarfile.TarInfo("disk.raw")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    with pytest.raises(MediaError) as caught:
        find_image(out.getvalue(), tmp_path)
    assert "two of its members" in caught.value.reason


def test_too_many_members_are_refused(tmp_path):
    with pytest.raises(MediaError) as caught:
        find_image(make_tar({str(number): b"" for number in range(12)}), tmp_path, limits=Limits(members=10))
    assert "more than 10 members" in caught.value.reason


@pytest.mark.parametrize(("place", "what"), [(-22 + 12, "end"), (-60, "directory"), (14, "checksum"), (22, "size"), (18, "packed size")])
def test_a_zip_that_contradicts_itself_is_refused(tmp_path, place, what):
    content = bytearray(make_zip({"disk.raw": DISK}))
    if what == "end":
        content = content[:-30]
    else:
        content[place] ^= 0x55
    with pytest.raises(MediaError):
        find_image(bytes(content), tmp_path)


def test_a_member_that_the_directory_of_a_zip_hides_is_refused(tmp_path):
    full, short = make_zip({"a": OTHER, "b": DISK}), make_zip({"a": OTHER})
    directory = full.index(b"PK\x01\x02")
    with pytest.raises(MediaError) as caught:
        find_image(full[:directory] + short[short.index(b"PK\x01\x02") :], tmp_path)
    assert "does not name" in caught.value.reason


def test_an_encrypted_zip_is_refused_in_words(tmp_path):
    content = bytearray(make_zip({"disk.raw": DISK}))
    content[6] |= 1
    with pytest.raises(MediaError) as caught:
        find_image(bytes(content), tmp_path)
    assert "encrypted" in caught.value.reason


@pytest.mark.parametrize("where", ["header", "cut"])
def test_a_damaged_tar_is_not_taken_for_a_short_one(tmp_path, where):
    content = bytearray(make_tar({"README": b"text\n", "disk.raw": DISK}))
    second = content.index(b"disk.raw")
    if where == "header":
        content[second + 1] ^= 1
    else:
        del content[second + 5000 :]
    with pytest.raises(MediaError):
        find_image(bytes(content), tmp_path)


def test_a_tar_whose_member_claims_more_than_there_is_is_refused(tmp_path):
    info = tarfile.TarInfo("disk.raw")
    info.size = 1 << 50
    with pytest.raises(MediaError):
        find_image(info.tobuf() + DISK, tmp_path)


@pytest.mark.parametrize("size", ["-5", "99999999999999999999999", "x"])
def test_impossible_sizes_in_extended_headers_are_refused(tmp_path, size):
    info = tarfile.TarInfo("disk.raw")
    info.pax_headers = {"size": size}
    with pytest.raises(MediaError):
        find_image(info.tobuf(format=tarfile.PAX_FORMAT) + DISK, tmp_path)


@pytest.mark.parametrize("text", ["0,512,256,512", "0,99999999", "512", "0,-1"])
def test_sparse_maps_that_cannot_be_are_refused(tmp_path, text):
    info = tarfile.TarInfo("disk.raw")
    info.size = 1024
    info.pax_headers = {"GNU.sparse.map": text, "GNU.sparse.size": "1048576"}
    with pytest.raises(MediaError):
        find_image(info.tobuf(format=tarfile.PAX_FORMAT) + bytes(1024), tmp_path)
