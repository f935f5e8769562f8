"""Formats x containers x corruption, made by the programs that people make them with."""

import json
import shutil
import zipfile
from pathlib import Path

import pytest
from tests.packed import disk, make_rar, make_zip

from quarterdeck.core.process import run
from quarterdeck.errors import HostError, MediaError
from quarterdeck.media.formats import ImageFormat
from quarterdeck.media.packing import foreign
from quarterdeck.media.packing.source import FileSource
from quarterdeck.media.packing.unpack import Unpacked, unpack_image
from quarterdeck.media.seed import iso

pytestmark = pytest.mark.integration

SIZE = 2 << 20
CONVERTED = {
    "raw": ("raw", ""),
    "qcow2": ("qcow2", ""),
    "compressed-qcow2": ("qcow2", "compression_type=zstd"),
    "vdi": ("vdi", ""),
    "static-vdi": ("vdi", "static=on"),
    "vhd": ("vpc", "force_size=on"),
    "fixed-vhd": ("vpc", "subformat=fixed,force_size=on"),
    "vhdx": ("vhdx", "subformat=dynamic"),
    "vmdk": ("vmdk", "subformat=monolithicSparse"),
    "stream-vmdk": ("vmdk", "subformat=streamOptimized"),
}
SPLIT = {"split-vmdk": "twoGbMaxExtentSparse", "split-flat-vmdk": "twoGbMaxExtentFlat", "flat-vmdk": "monolithicFlat"}
FORMATS = [*CONVERTED, "iso"]
SEVEN_ZIP = "7zz" if shutil.which("7zz") else "7z"
"""Debian 12 has the program under its own name, Debian 13 under the old one."""
STREAMS = {
    "gz": ["gzip", "-k"],
    "xz": ["xz", "-k", "-T2", "--block-size=65536"],
    "zst": ["zstd", "-q", "-k", "--check"],
    "bz2": ["bzip2", "-k"],
    "lzma": ["xz", "-k", "--format=lzma"],
}
ARCHIVES = {
    "zip": ["zip", "-q", "-r"],
    "deflate64.zip": [SEVEN_ZIP, "a", "-bd", "-tzip", "-mm=Deflate64"],
    "7z": [SEVEN_ZIP, "a", "-bd"],
    "tar": ["tar", "-cf"],
    "sparse.tar": ["tar", "-cSf"],
    "oldgnu.tar": ["tar", "--format=oldgnu", "-cSf"],
    "tar.gz": ["tar", "-czf"],
}
CONTAINERS = ["none", *STREAMS, *ARCHIVES, "rar", "xz in zip", "7z in tar"]
UNCHECKED = {"none", "lzma", "tar", "sparse.tar", "oldgnu.tar", "rar"}
"""Containers that hold no checksum of what is in them; and members of a rar that are only stored are not checked by libarchive 3.6."""


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the same disk in every format, and its content as ``raw``."""
    folder = tmp_path_factory.mktemp("images")
    (folder / "raw").write_bytes(disk(SIZE))
    for name, (kind, options) in CONVERTED.items():
        if name != "raw":
            words = ["-o", options] if options else []
            packed = ["-c"] if name.startswith("compressed") else []
            run(["qemu-img", "convert", "-q", *packed, "-f", "raw", "-O", kind, *words, "raw", name], cwd=folder)
    for name, kind in SPLIT.items():
        (folder / name).mkdir()
        run(["qemu-img", "convert", "-q", "-f", "raw", "-O", "vmdk", "-o", f"subformat={kind}", "raw", f"{name}/disk.vmdk"], cwd=folder)
    (folder / "iso").write_bytes(iso({"a": b"text"}))
    return folder


def pack(path: Path, container: str, folder: Path) -> Path:
    """Put the file or folder at ``path`` into ``container`` and return what came out."""
    folder.mkdir(exist_ok=True)
    if container == "none":
        return Path(shutil.copy(path, folder))
    if container == "xz in zip":
        return pack(pack(path, "xz", folder), "zip", folder)
    if container == "7z in tar":
        return pack(pack(path, "7z", folder), "tar", folder)
    if container == "rar":
        target = folder / f"{path.name}.rar"
        target.write_bytes(make_rar({path.name: path.read_bytes()}))
        return target
    if container in STREAMS:
        copy = Path(shutil.copy(path, folder))
        run([*STREAMS[container], copy])
        return copy.with_name(f"{copy.name}.{container}")
    target = folder / f"{path.name}.{container}"
    run([*ARCHIVES[container], target, path.name], cwd=path.parent)
    return target


def unpack(path: Path, folder: Path, member: str | None = None) -> Unpacked:
    folder.mkdir(exist_ok=True)
    with FileSource(path) as source:
        return unpack_image(source, folder, member=member)


def content(image: Unpacked) -> bytes:
    if image.format is not ImageFormat.QCOW2:
        return image.path.read_bytes()
    flat = image.path.with_suffix(".flat")
    run(["qemu-img", "convert", "-f", "qcow2", "-O", "raw", image.path, flat])
    return flat.read_bytes()


@pytest.mark.parametrize("container", CONTAINERS)
def test_every_format_comes_out_of_the_container(tmp_path, images, container):
    for name in FORMATS:
        packed = pack(images / name, container, tmp_path / f"packed-{name}")
        before = packed.read_bytes()
        out = tmp_path / name
        image = unpack(packed, out)
        assert content(image) == (images / ("iso" if name == "iso" else "raw")).read_bytes(), name
        assert image.format is {"iso": ImageFormat.ISO, "qcow2": ImageFormat.QCOW2, "vhdx": ImageFormat.QCOW2}.get(name, image.format)
        assert packed.read_bytes() == before
        assert not [path.name for path in out.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize("name", ["vdi", "vhd", "vmdk", "stream-vmdk"])
def test_sparse_formats_are_decoded_in_one_pass_and_stay_sparse(tmp_path, images, name):
    image = unpack(images / name, tmp_path)
    assert image.format is ImageFormat.RAW
    assert image.path.stat().st_blocks * 512 < SIZE // 2


@pytest.mark.parametrize("name", SPLIT)
@pytest.mark.parametrize("container", ["zip", "7z", "tar.gz"])
def test_a_disk_in_several_files_is_put_together(tmp_path, images, name, container):
    image = unpack(pack(images / name, container, tmp_path / "packed"), tmp_path / "out")
    assert content(image) == (images / "raw").read_bytes()
    assert len(image.members) == 2


def test_a_descriptor_of_this_host_finds_its_extents_beside_it(tmp_path, images):
    assert content(unpack(images / "flat-vmdk" / "disk.vmdk", tmp_path)) == (images / "raw").read_bytes()


@pytest.mark.parametrize("container", CONTAINERS[1:])
def test_a_damaged_container_is_refused_and_leaves_nothing(tmp_path, images, container):
    good = pack(images / "raw", container, tmp_path / "packed").read_bytes()
    damaged = {"truncated": good[: len(good) * 2 // 3], "magic": b"\x01\x02\x03\x04\x05\x06\x07\x08" + good[8:]}
    if container in ("tar", "sparse.tar", "oldgnu.tar"):
        damaged["magic"] = b"\xff" * 512 + good[512:-100]
    if container not in UNCHECKED:
        middle = len(good) // 2
        damaged["flipped"] = good[:middle] + bytes([good[middle] ^ 0x10]) + good[middle + 1 :]
    for what, bad in damaged.items():
        path = tmp_path / what
        path.write_bytes(bad)
        with pytest.raises(MediaError) as caught:
            unpack(path, tmp_path / f"out-{what}")
        assert caught.value.hint
        assert list((tmp_path / f"out-{what}").iterdir()) == []


@pytest.mark.parametrize("name", [name for name in FORMATS if name not in ("raw", "fixed-vhd")])
def test_an_image_that_is_cut_off_is_refused(tmp_path, images, name):
    """A fixed VHD without its footer is a raw disk, and that tells no size."""
    good = (images / name).read_bytes()
    path = tmp_path / "cut"
    # QEMU lets the last cluster of a qcow2 be incomplete: it may never have been written to its end.
    path.write_bytes(good[: len(good.rstrip(b"\x00")) - (70_000 if "qcow2" in name else 5000)])
    with pytest.raises(MediaError):
        unpack(path, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("name", ["qcow2", "vdi", "vhd", "vhdx", "vmdk", "stream-vmdk"])
def test_an_image_whose_header_is_damaged_is_refused(tmp_path, images, name):
    good = bytearray((images / name).read_bytes())
    good[8:64] = b"\xff" * 56
    if name in ("vdi", "vhd", "vhdx"):
        good[64 + 4 : 1024] = b"\xff" * (1024 - 68)
    if name == "vhdx":
        good[0x10000:0x40000] = bytes(0x30000)  # both headers and both region tables
    path = tmp_path / "damaged"
    path.write_bytes(good)
    with pytest.raises(MediaError):
        unpack(path, tmp_path / "out")


def test_an_image_that_names_a_file_of_this_host_is_refused(tmp_path, images):
    run(["qemu-img", "create", "-q", "-f", "qcow2", "-b", images / "raw", "-F", "raw", tmp_path / "overlay"])
    packed = pack(tmp_path / "overlay", "xz", tmp_path / "packed")
    with pytest.raises(MediaError) as caught:
        unpack(packed, tmp_path / "out")
    assert caught.value.key == "image-refers-elsewhere"
    assert "unpacking" not in caught.value.message


def test_a_disk_that_only_looks_like_an_image_inside_is_refused(tmp_path, images):
    qcow2 = (images / "qcow2").read_bytes()
    (tmp_path / "inner").write_bytes(qcow2)
    run(["qemu-img", "convert", "-q", "-f", "raw", "-O", "vmdk", "inner", "outer"], cwd=tmp_path)
    with pytest.raises(MediaError) as caught:
        unpack(tmp_path / "outer", tmp_path / "out")
    assert "claims to be qcow2" in caught.value.reason


def test_the_named_member_of_a_7z_is_taken(tmp_path, images):
    run([SEVEN_ZIP, "a", "-bd", tmp_path / "two.7z", "raw", "qcow2"], cwd=images)
    with pytest.raises(MediaError) as caught:
        unpack(tmp_path / "two.7z", tmp_path / "out")
    assert caught.value.key == "archive-ambiguous"
    assert unpack(tmp_path / "two.7z", tmp_path / "out", member="raw").format is ImageFormat.RAW


def test_an_encrypted_7z_is_refused_in_words(tmp_path, images):
    run([SEVEN_ZIP, "a", "-bd", "-psecret", tmp_path / "secret.7z", "raw"], cwd=images)
    with pytest.raises(MediaError) as caught:
        unpack(tmp_path / "secret.7z", tmp_path / "out")
    assert "ncrypt" in caught.value.reason


def test_links_in_a_7z_are_refused(tmp_path):
    (tmp_path / "disk.raw").symlink_to("/etc/passwd")
    run([SEVEN_ZIP, "a", "-bd", "-snl", tmp_path / "link.7z", "disk.raw"], cwd=tmp_path)
    with pytest.raises(MediaError) as caught:
        unpack(tmp_path / "link.7z", tmp_path / "out")
    assert caught.value.key == "archive-unsafe"


def test_a_host_without_bsdtar_says_what_to_install(tmp_path, images, monkeypatch):
    packed = pack(images / "raw", "7z", tmp_path / "packed")
    monkeypatch.setattr(foreign, "find", lambda name: None)
    with pytest.raises(HostError) as caught:
        unpack(packed, tmp_path / "out")
    assert "libarchive-tools" in caught.value.hint


def test_a_zip_of_stored_files_that_was_written_to_a_pipe_is_read(tmp_path, images):
    """Where the size is known before, as to bsdtar, one pass does; where not, the end of the member is only told by the directory."""
    done = run(["bsdtar", "-c", "--format=zip", "--options=zip:compression=store", "-f", "-", "raw"], cwd=images)
    zips = {"sized": done.stdout, "unsized": make_zip({"raw": (images / "raw").read_bytes()}, method=zipfile.ZIP_STORED, seekable=False)}
    for name, packed in zips.items():
        (tmp_path / name).write_bytes(packed)
        assert content(unpack(tmp_path / name, tmp_path / f"out-{name}")) == (images / "raw").read_bytes()


def test_the_tools_of_the_matrix_see_what_we_see(images):
    """The images are what their names say: QEMU reads them as the same disk."""
    for name, (kind, _) in CONVERTED.items():
        told = json.loads(run(["qemu-img", "info", "--output=json", "-f", kind, images / name]).stdout)
        assert told["virtual-size"] == SIZE
