import asyncio
import contextlib
import gzip
import os
import subprocess
import zipfile

import pytest

from quarterdeck.core.report import Event, Message, silent
from quarterdeck.errors import MediaError, QuarterdeckError
from quarterdeck.media.disk.convert import convert
from quarterdeck.media.disk.create import create
from quarterdeck.media.disk.inspect import inspect
from quarterdeck.media.disk.kinds import KINDS, Options, find_kind
from quarterdeck.media.disk.resize import NewSize, resize_in_place

pytestmark = pytest.mark.integration

MIB = 1 << 20
SIZE = 9 * MIB + 512
"""No format's cylinder or cluster ends here."""


def qemu_img(*words) -> None:
    subprocess.run(["qemu-img", *map(os.fspath, words)], check=True, capture_output=True)


def same(first, first_format, second, second_format) -> bool:
    words = ["qemu-img", "compare", "-f", first_format, "-F", second_format, first, second]
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


@pytest.fixture(name="raw", scope="module")
def _raw(tmp_path_factory):
    path = tmp_path_factory.mktemp("raw") / "with space, comma and ünï.img"
    with path.open("wb") as file:
        file.truncate(SIZE)
        for place in (0, 3 * MIB + 4096, SIZE - 512):
            file.seek(place)
            file.write(os.urandom(min(70000, SIZE - place)))
    return path


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
async def test_every_format_in_both_directions(raw, tmp_path, kind):
    there, back = tmp_path / f"there, and.{kind.name}", tmp_path / "back.raw"
    made = await convert(raw, there, Options(kind=kind), report=silent)
    assert made.virtual_size == SIZE
    assert same(raw, "raw", there, kind.driver)
    assert (await inspect(there)).format.driver == kind.driver
    await convert(there, back, Options(kind=find_kind("raw", back)), report=silent)
    assert back.read_bytes() == raw.read_bytes()
    assert back.stat().st_blocks * 512 < MIB
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([there.name, back.name])


CHOICES = [
    *(Options(kind=kind, compress=True) for kind in KINDS if kind.compress is not None),
    *(Options(kind=kind, preallocation=mode) for kind in KINDS for mode in kind.preallocations),
    *(Options(kind=kind, cluster_size=size) for kind in KINDS if (c := kind.clusters) for size in (c.least, c.most)),
]


@pytest.mark.parametrize("options", CHOICES, ids=lambda one: f"{one.kind.name}-{one.compress}-{one.preallocation}-{one.cluster_size}")
async def test_every_option_makes_the_same_disk(raw, tmp_path, options):
    target = tmp_path / "disk"
    made = await convert(raw, target, options, report=silent)
    assert same(raw, "raw", target, options.kind.driver)
    if options.preallocation in ("falloc", "full"):
        assert made.actual_size >= SIZE


@pytest.mark.parametrize("subformat", ["monolithicFlat", "twoGbMaxExtentSparse", "streamOptimized"])
async def test_all_sorts_of_vmdk_are_read(raw, tmp_path, subformat):
    source = tmp_path / "source.vmdk"
    qemu_img("convert", "-O", "vmdk", "-o", f"subformat={subformat}", raw, source)
    await convert(source, tmp_path / "copy.qcow2", Options(kind=KINDS[0]), report=silent)
    assert same(raw, "raw", tmp_path / "copy.qcow2", "qcow2")


async def test_packed_disks_are_unpacked_and_converted(raw, tmp_path):
    vhd = tmp_path / "in.vhd"
    qemu_img("convert", "-O", "vpc", "-o", "force_size=on", raw, vhd)
    with zipfile.ZipFile(tmp_path / "export.zip", "w", zipfile.ZIP_DEFLATED) as file:
        file.write(vhd, "folder/in.vhd")
        file.writestr("read me.txt", "hello")
    (tmp_path / "disk.gz").write_bytes(gzip.compress(raw.read_bytes()))
    for source in ("export.zip", "disk.gz"):
        target = tmp_path / f"{source}.qcow2"
        await convert(tmp_path / source, target, Options(kind=KINDS[0]), report=silent)
        assert same(raw, "raw", target, "qcow2")


async def test_a_chain_becomes_one_and_what_is_not_copied_is_told(raw, tmp_path):
    qemu_img("convert", "-O", "qcow2", raw, tmp_path / "base.qcow2")
    top = tmp_path / "top.qcow2"
    qemu_img("create", "-f", "qcow2", "-b", "base.qcow2", "-F", "qcow2", top)
    qemu_img("snapshot", "-c", "before", top)
    qemu_img("bitmap", "--add", top, "changes")
    told: list[Event] = []
    await convert(top, tmp_path / "alone.vdi", Options(kind=find_kind("vdi", top)), report=told.append)
    assert same(raw, "raw", tmp_path / "alone.vdi", "vdi")
    words = " ".join(event.text for event in told if isinstance(event, Message))
    assert "before" in words
    assert "changes" in words


async def test_a_part_of_the_source_is_never_replaced(raw, tmp_path):
    base, top = tmp_path / "base.qcow2", tmp_path / "top.qcow2"
    qemu_img("convert", "-O", "qcow2", raw, base)
    qemu_img("create", "-f", "qcow2", "-b", "base.qcow2", "-F", "qcow2", top)
    os.link(base, tmp_path / "other-name.qcow2")
    before = base.read_bytes()
    for target in (base, top, tmp_path / "other-name.qcow2"):
        with pytest.raises(MediaError) as caught:
            await convert(top, target, Options(kind=KINDS[0]), force=True, report=silent)
        assert caught.value.key == "same-file"
    assert base.read_bytes() == before


@pytest.mark.parametrize("kind", KINDS[:2], ids=lambda kind: kind.name)
def test_disks_of_a_running_machine_are_neither_read_nor_replaced(raw, tmp_path, kind):
    used = tmp_path / f"used.{kind.name}"
    asyncio.run(convert(raw, used, Options(kind=kind), report=silent))
    machine = ["-S", "-nodefaults", "-display", "none", "-machine", "pc,accel=tcg", "-m", "32", "-qmp", "stdio"]
    drive = ["-drive", f"file={used},format={kind.driver},if=virtio"]
    with subprocess.Popen(["qemu-system-x86_64", *machine, *drive], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert b"QMP" in running.stdout.readline()
        works = (
            lambda: convert(used, tmp_path / "copy.vdi", Options(kind=kind), report=silent),
            lambda: convert(raw, used, Options(kind=kind), force=True, report=silent),
            lambda: resize_in_place(used, NewSize(64 * MIB), report=silent),
        )
        try:
            assert asyncio.run(inspect(used)).in_use
            for work in works:
                with pytest.raises(MediaError) as caught:
                    asyncio.run(work())
                assert caught.value.key == "image-in-use"
        finally:
            running.kill()
    assert not asyncio.run(inspect(used)).in_use
    assert same(raw, "raw", used, kind.driver)


async def test_a_source_that_changes_meanwhile_makes_no_copy_and_one_that_vanishes_does(raw, tmp_path):
    source, target = tmp_path / "source.raw", tmp_path / "target.qcow2"
    source.write_bytes(raw.read_bytes())

    def touch(event) -> None:
        if getattr(event, "done", None):
            os.utime(source)

    with pytest.raises(MediaError) as caught:
        await convert(source, target, Options(kind=KINDS[0]), report=touch)
    assert caught.value.key == "image-changed"
    assert [path.name for path in tmp_path.iterdir()] == ["source.raw"]

    def vanish(event) -> None:
        if getattr(event, "done", None):
            source.unlink(missing_ok=True)

    await convert(source, target, Options(kind=KINDS[0]), report=vanish)
    assert same(raw, "raw", target, "qcow2")


async def test_an_encrypted_disk_is_shown_and_not_copied(tmp_path):
    path = tmp_path / "secret.qcow2"
    secret = ["--object", "secret,id=key,data=abc", "-o", "encrypt.format=aes,encrypt.key-secret=key"]
    qemu_img("create", "-f", "qcow2", *secret, path, "4M")
    found = await inspect(path)
    assert (found.details.encryption, found.closed) == ("aes", "it is encrypted")
    with pytest.raises(MediaError) as caught:
        await convert(path, tmp_path / "copy.raw", Options(kind=KINDS[0]), report=silent)
    assert caught.value.key == "image-encrypted"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
async def test_an_empty_disk_has_the_size_that_was_asked_for(tmp_path, kind):
    made = await create(tmp_path / "new", Options(kind=kind), size=SIZE - 100, report=silent)
    found = await inspect(made.path)
    assert (found.format.driver, found.details.virtual_size) == (kind.driver, SIZE)


async def test_files_elsewhere_are_shown_and_not_opened(raw, tmp_path):
    path = tmp_path / "top.qcow2"
    qemu_img("create", "-f", "qcow2", "-b", raw, "-F", "raw", path)
    found = await inspect(path)
    assert found.chain[0].name == str(raw)
    assert str(raw) in found.closed
    with pytest.raises(MediaError) as caught:
        await convert(path, tmp_path / "copy.raw", Options(kind=KINDS[0]), report=silent)
    assert caught.value.key == "image-refers-elsewhere"


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.name != "raw"], ids=lambda kind: kind.name)
async def test_images_that_are_cut_off_or_damaged_are_errors_in_words_and_leave_nothing(raw, tmp_path, kind):
    source, target = tmp_path / "source", tmp_path / "target"
    qemu_img("convert", "-f", "raw", "-O", kind.driver, raw, source)
    whole = source.read_bytes()
    for place in range(8, 600, 37):
        source.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :] if place % 2 else whole[: place * 100])
        with contextlib.suppress(QuarterdeckError):
            await convert(source, target, Options(kind=KINDS[0]), force=True, report=silent)
        assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
