"""Packages as programs really write them, and as they must not be."""

import gzip
import hashlib
import io
import tarfile
from urllib.parse import quote

import pytest
from tests.packed import disk, find_image, make_tar, make_zip, stream_vmdk

from quarterdeck.errors import MediaError

DISK = disk()
VMDK = stream_vmdk(DISK)
NAME = "My VM (1)-disk1.vmdk"


def description(file: str = f'<File ovf:id="f" ovf:href="{NAME}"/>') -> bytes:
    return f'<?xml version="1.0"?><Envelope><References>{file}</References><Disk ovf:diskId="d" ovf:fileRef="f"/></Envelope>'.encode()


OVF = description()


def line(name: str, content: bytes, algorithm: str = "SHA256") -> str:
    return f"{algorithm}({name})= {hashlib.new(algorithm.lower(), content).hexdigest()}\n"


MANIFEST = line("vm.ovf", OVF) + line(NAME, VMDK)
CERTIFICATE = b"SHA1(vm.mf)= " + b"ab" * 46 + b"\n-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"


def refused(members, tmp_path, *, pack=make_tar):
    with pytest.raises(MediaError) as caught:
        find_image(pack(members), tmp_path)
    return caught.value.reason


def ova(text: str, *, ovf: bytes = OVF, disk: bytes = VMDK) -> dict[str, bytes]:
    return {"vm.ovf": ovf, "vm.mf": text.encode(), NAME: disk}


GOOD = {
    "as it should be": ova(MANIFEST),
    "lines of Windows": ova(MANIFEST.replace("\n", "\r\n")),
    "byte order mark and blank lines": ova("\ufeff\n" + MANIFEST + "\n"),
    "no end of line": ova(MANIFEST.rstrip("\n")),
    "several algorithms": ova("".join(line(NAME, VMDK, name) for name in ("SHA1", "SHA256", "SHA512")) + line("vm.ovf", OVF)),
    "a line twice": ova(MANIFEST + MANIFEST),
    "names with ./": ova(line("./vm.ovf", OVF) + line(f"./{NAME}", VMDK)),
    "names as in a URL": ova(line("vm.ovf", OVF) + line(quote(NAME), VMDK)),
    "manifest at the end": {"vm.ovf": OVF, NAME: VMDK, "vm.mf": MANIFEST.encode()},
    "manifest first": {"vm.mf": MANIFEST.encode(), "vm.ovf": OVF, NAME: VMDK},
    "by the alphabet": {NAME: VMDK, "vm.mf": MANIFEST.encode(), "vm.ovf": OVF},
    "with a certificate": {**ova(MANIFEST), "vm.cert": CERTIFICATE},
    "empty manifest": ova(""),
}


@pytest.mark.parametrize("case", GOOD)
@pytest.mark.parametrize("pack", [make_tar, make_zip])
def test_packages_are_read_however_they_are_written(tmp_path, case, pack):
    assert find_image(pack(GOOD[case]), tmp_path).path.read_bytes() == DISK


@pytest.mark.parametrize(
    "order", [("vm.ovf", "vm.mf", NAME), ("vm.ovf", NAME, "vm.mf"), ("vm.mf", "vm.ovf", NAME), (NAME, "vm.mf", "vm.ovf")]
)
@pytest.mark.parametrize("changed", ["vm.ovf", NAME])
def test_a_changed_member_is_noticed_wherever_the_manifest_lies(tmp_path, order, changed):
    wrong = line("vm.ovf", OVF + b" " * (changed == "vm.ovf")) + line(NAME, VMDK + b" " * (changed == NAME))
    members = ova(wrong)
    assert f"'{changed}' is not what the manifest says" in refused({name: members[name] for name in order}, tmp_path)


BAD = {
    "a file too many": (MANIFEST + line("gone.iso", b""), "names 'gone.iso', which is not there"),
    "a file left out": (line("vm.ovf", OVF), f"leaves out '{NAME}'"),
    "one algorithm is wrong": (MANIFEST + line(NAME, DISK, "SHA1"), "is not what the manifest says (sha1)"),
    "two checksums": (MANIFEST + line(NAME, DISK), f"two checksums of '{NAME}'"),
    "another algorithm": (MANIFEST + line("vm.ovf", OVF, "MD5"), "has MD5 checksums, known are"),
    "too few digits": (MANIFEST.replace("SHA256(vm.ovf)", "SHA512(vm.ovf)"), "no SHA512 checksum of 'vm.ovf', but 64 digits"),
    "other lines": (MANIFEST + "<html>\n", "a line that makes no sense: '<html>'"),
}


@pytest.mark.parametrize("case", BAD)
def test_manifests_that_do_not_fit_are_refused_in_words(tmp_path, case):
    text, reason = BAD[case]
    assert reason in refused(ova(text), tmp_path)


def test_a_disk_that_nothing_can_check_any_more_is_refused(tmp_path):
    ovf = description('<File ovf:id="f" ovf:href="disk.bin"/>')
    members = {"README": b"x", "disk.bin": VMDK, "vm.ovf": ovf, "vm.mf": (line("vm.ovf", ovf) + line("disk.bin", VMDK)).encode()}
    assert "lies before what tells its checksum" in refused(members, tmp_path)
    (tmp_path / "zip").mkdir()
    assert find_image(make_zip(members), tmp_path / "zip").path.read_bytes() == DISK  # which has checksums of its own


@pytest.mark.parametrize("name", ["disk.vmdk.gz", "disk.vmdk"])
def test_compressed_disks_are_unpacked_and_checked_as_they_lie_there(tmp_path, name):
    ovf, packed = description(f'<File ovf:id="f" ovf:href="{name}" ovf:compression="gzip"/>'), gzip.compress(VMDK)
    members = {"vm.ovf": ovf, "vm.mf": (line("vm.ovf", ovf) + line(name, packed)).encode(), name: packed}
    assert find_image(make_tar(members), tmp_path).path.read_bytes() == DISK
    (tmp_path / "again").mkdir()
    assert "is not what the manifest says" in refused({**members, name: gzip.compress(VMDK, 1)}, tmp_path / "again")


REFERENCES = {
    "in chunks": (f'<File ovf:id="f" ovf:href="{NAME}" ovf:chunkSize="7"/>', "cut into chunks"),
    "elsewhere": ('<File ovf:id="f" ovf:href="https://example.org/d.vmdk"/>', "'https://example.org/d.vmdk' is not in it"),
}


@pytest.mark.parametrize("case", REFERENCES)
def test_disks_that_are_not_one_member_are_refused_in_words(tmp_path, case):
    file, reason = REFERENCES[case]
    assert reason in refused({"vm.ovf": description(file), NAME: VMDK}, tmp_path)


def test_what_is_commented_out_or_no_disk_does_not_matter(tmp_path):
    old, other = '<!-- <File ovf:id="f" ovf:href="old.vmdk"/> -->', '<File ovf:id="g" ovf:href="x" ovf:chunkSize="7"/>'
    file = f'{old}<File ovf:id="f" ovf:href="{quote(NAME)}"/>{other}'
    members = {"vm.ovf": description(file), NAME: VMDK, "old.vmdk": stream_vmdk(disk(seed=3))}
    assert find_image(make_tar(members), tmp_path).path.read_bytes() == DISK


def test_two_members_of_one_name_are_refused(tmp_path):
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        for name, text in (("vm.ovf", OVF), (NAME, VMDK), (NAME, VMDK)):
            info = tarfile.TarInfo(name)
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text))
    with pytest.raises(MediaError) as caught:
        find_image(content.getvalue(), tmp_path)
    assert "two of its members are called" in caught.value.reason


def test_files_called_like_manifests_matter_in_packages_only(tmp_path):
    assert find_image(make_tar({"rules.mf": b"all: disk\n", "disk.vmdk": VMDK}), tmp_path).path.read_bytes() == DISK
