import asyncio
import os
import stat
import subprocess
from types import SimpleNamespace

import pytest

from quarterdeck.core.arch import host_arch
from quarterdeck.errors import HostError, MediaError, UsageError
from quarterdeck.media import disk
from quarterdeck.media.formats import ImageFormat, detect_format
from quarterdeck.media.local import resolve_image
from quarterdeck.media.resolve import resolve_boot

pytestmark = pytest.mark.integration

MIB = 1 << 20


def qemu_img(*words) -> None:
    subprocess.run(["qemu-img", *map(os.fspath, words)], check=True, capture_output=True)


def create(path, kind: str, *options) -> None:
    qemu_img("create", "-q", "-f", kind, *options, path, "64M")


def partition(path, script: str) -> None:
    subprocess.run(["sfdisk", "-q", path], input=script.encode(), check=True)


@pytest.mark.parametrize("kind", ["qcow2", "qcow", "qed", "vmdk", "vdi", "vhdx", "vpc", "parallels", "raw"])
async def test_every_format_that_qemu_img_makes_is_told_and_read(tmp_path, kind):
    path = tmp_path / "with space, comma and ünï.img"
    create(path, kind)
    found = await disk.info(path)
    assert found.format.value == kind
    assert found.virtual_size >= 64 * MIB
    assert found.backing is None
    image = await resolve_image(path)
    assert (image.path, image.format) == (str(path), kind)


async def test_a_qcow2_that_names_a_file_of_the_host_is_refused(tmp_path):
    secret = tmp_path / "elsewhere/secret"
    secret.parent.mkdir()
    secret.write_bytes(b"secret".ljust(64 * MIB, b"\x00"))
    evil = tmp_path / "evil.qcow2"
    create(evil, "qcow2", "-b", secret, "-F", "raw")
    with pytest.raises(MediaError) as caught:
        await disk.info(evil)
    assert caught.value.key == "image-refers-elsewhere"
    assert str(secret) in caught.value.message
    assert (await disk.info(evil, trust_references=True)).backing == secret


@pytest.mark.parametrize("name", ["/etc/shadow", "../secret", "json:{}", "nbd:localhost:10809", "sub/../../x", ""])
async def test_no_spelling_of_elsewhere_is_accepted(tmp_path, name):
    path = tmp_path / "evil.qcow2"
    create(path, "qcow2")
    qemu_img("rebase", "-u", "-b", name or "/dev/null", "-F", "raw", path)
    with pytest.raises(MediaError):
        await disk.info(path)


async def test_a_link_beside_an_image_does_not_lead_elsewhere(tmp_path):
    (tmp_path / "base.raw").symlink_to("/etc/passwd")
    path = tmp_path / "evil.qcow2"
    create(path, "qcow2")
    qemu_img("rebase", "-u", "-b", "base.raw", "-F", "raw", path)
    with pytest.raises(MediaError):
        await disk.info(path)


async def test_a_hidden_reference_behind_a_good_one_is_found(tmp_path):
    create(tmp_path / "middle.qcow2", "qcow2")
    qemu_img("rebase", "-u", "-b", "/etc/shadow", "-F", "raw", tmp_path / "middle.qcow2")
    create(tmp_path / "top.qcow2", "qcow2")
    qemu_img("rebase", "-u", "-b", "middle.qcow2", "-F", "qcow2", tmp_path / "top.qcow2")
    with pytest.raises(MediaError):
        await disk.info(tmp_path / "top.qcow2")


async def test_an_image_that_stands_on_its_neighbour_is_accepted(tmp_path):
    create(tmp_path / "base.qcow2", "qcow2")
    create(tmp_path / "top.qcow2", "qcow2", "-b", "base.qcow2", "-F", "qcow2")
    found = await disk.info(tmp_path / "top.qcow2")
    assert found.backing == tmp_path / "base.qcow2"


async def test_an_external_data_file_elsewhere_is_refused(tmp_path):
    (tmp_path / "data").mkdir()
    path = tmp_path / "split.qcow2"
    create(path, "qcow2", "-o", f"data_file={tmp_path}/data/blob.raw,data_file_raw=on")
    with pytest.raises(MediaError) as caught:
        await disk.info(path)
    assert caught.value.key == "image-refers-elsewhere"


async def test_a_vmdk_descriptor_that_names_a_file_of_the_host_is_refused(tmp_path):
    path = tmp_path / "flat.vmdk"
    create(path, "vmdk", "-o", "subformat=monolithicFlat")
    assert (await disk.info(path)).format is ImageFormat.VMDK
    path.write_text(path.read_text().replace("flat-flat.vmdk", "/etc/shadow"))
    with pytest.raises(MediaError):
        await disk.info(path)


async def test_a_damaged_image_is_a_clear_error(tmp_path):
    path = tmp_path / "damaged.qcow2"
    path.write_bytes(b"QFI\xfb\x00\x00\x00\x03" + b"\xff" * 4096)
    with pytest.raises(MediaError):
        await disk.info(path)


async def test_an_overlay_shows_its_base_and_is_as_large_as_asked(tmp_path):
    base, overlay = tmp_path / "base, x.raw", tmp_path / "over.qcow2"
    base.write_bytes(bytes(4 * MIB))
    await disk.create_overlay(overlay, base, "raw", size=10 * MIB + 1)
    found = await disk.info(overlay)
    assert (found.backing, found.virtual_size) == (base, 10 * MIB + 512)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize("kind", ["qcow2", "raw"])
async def test_a_blank_disk_is_sparse_and_private(tmp_path, kind):
    path = tmp_path / "blank"
    await disk.create_blank(path, kind, size=1 << 40)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.stat().st_blocks * 512 < 8 * MIB
    found = await disk.info(path)
    assert found.virtual_size == 1 << 40


async def test_a_disk_grows_and_never_shrinks(tmp_path):
    path = tmp_path / "d.qcow2"
    await disk.create_blank(path, "qcow2", size=8 * MIB)
    await disk.grow(path, "qcow2", size=16 * MIB)
    await disk.grow(path, "qcow2", size=4 * MIB)
    assert (await disk.info(path)).virtual_size == 16 * MIB


async def test_an_existing_disk_is_never_overwritten(tmp_path):
    path = tmp_path / "d.qcow2"
    path.write_text("precious")
    with pytest.raises(MediaError) as caught:
        await disk.create_blank(path, "qcow2", size=MIB)
    assert caught.value.key == "disk-exists"
    assert path.read_text() == "precious"


async def test_a_full_file_system_is_told_before_anything_is_made(tmp_path, monkeypatch):
    monkeypatch.setattr("quarterdeck.media.disk.image.shutil.disk_usage", lambda _: SimpleNamespace(free=1000))
    with pytest.raises(HostError) as caught:
        await disk.create_blank(tmp_path / "d.qcow2", "qcow2", size=MIB)
    assert caught.value.key == "disk-full"


async def test_failures_of_qemu_img_leave_nothing_behind(tmp_path):
    with pytest.raises(MediaError):
        await disk.create_overlay(tmp_path / "o.qcow2", tmp_path / "absent", "raw")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(MediaError):
        await disk.create_blank(tmp_path / "no/folder/d.qcow2", "qcow2", size=MIB)


async def test_the_boot_sectors_of_any_format_are_read_through_qemu_img(tmp_path):
    raw = tmp_path / "esp.raw"
    raw.write_bytes(bytes(16 * MIB))
    partition(raw, "label: gpt\nsize=4M, type=uefi\n")
    for kind in ("raw", "qcow2", "vmdk", "vdi", "vhdx"):
        path = tmp_path / f"esp.{kind}"
        if kind != "raw":
            qemu_img("convert", "-O", kind, raw, path)
        boot = await resolve_boot(str(path), host_arch())
        assert boot.disk is not None
        assert (boot.uefi, boot.bios) == (True, False)


async def test_boot_names_that_mean_nothing_get_suggestions(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "alpine.iso").write_bytes(b"")
    for name, hint in {"debain": "debian", "alpine.is": "alpine.iso", "trixie": "debian:trixie", "debian-12": "debian:bookworm"}.items():
        with pytest.raises(UsageError) as caught:
            await resolve_boot(name, host_arch())
        assert hint in caught.value.hint
    with pytest.raises(UsageError) as caught:
        await resolve_boot("no/such/folder/x.img", host_arch())
    assert "no folder" in caught.value.reason


async def test_no_boot_is_an_empty_answer():
    boot = await resolve_boot(None, host_arch())
    assert (boot.disk, boot.iso, boot.kernel) == (None, None, None)


async def test_many_looks_at_once_do_not_disturb_each_other(tmp_path):
    path = tmp_path / "d.qcow2"
    create(path, "qcow2")
    found = await asyncio.gather(*(disk.info(path) for _ in range(8)))
    assert len(set(found)) == 1
    assert detect_format(path) is ImageFormat.QCOW2
