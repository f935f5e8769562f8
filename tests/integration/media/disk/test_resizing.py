import os
import subprocess
from pathlib import Path

import pytest

from quarterdeck.core.report import Event, Message, silent
from quarterdeck.errors import MediaError, UsageError
from quarterdeck.media.disk.inspect import inspect
from quarterdeck.media.disk.kinds import KINDS, Options, find_kind
from quarterdeck.media.disk.resize import NewSize, resize_copy, resize_in_place
from quarterdeck.media.disk.tool import run_tool

pytestmark = pytest.mark.integration

MIB = 1 << 20
IN_PLACE = [kind for kind in KINDS if kind.resizable]


def run(*words) -> str:
    return subprocess.run([os.fspath(word) for word in words], check=True, capture_output=True, text=True).stdout


def table_is_sound(path, driver: str) -> bool:
    """Ask sgdisk, which also looks at the copy at the end."""
    raw = path.with_suffix(".checked")
    run("qemu-img", "convert", "-f", driver, "-O", "raw", path, raw)
    said = run("sgdisk", "-v", raw)
    raw.unlink()
    return "No problems found" in said


def content(path: Path, driver: str, size: int) -> bytes:
    raw = path.with_suffix(".content")
    run("qemu-img", "convert", "-f", driver, "-O", "raw", path, raw)
    found = raw.read_bytes()[MIB : MIB + size]
    raw.unlink()
    return found


@pytest.fixture(name="gpt", scope="module")
def _gpt(tmp_path_factory):
    """A disk of 16 MiB with a partition of 6 MiB, whose first megabyte is noise."""
    path = tmp_path_factory.mktemp("gpt") / "gpt.raw"
    with path.open("wb") as file:
        file.truncate(16 * MIB)
        file.seek(MIB)
        file.write(os.urandom(MIB))
    run("sgdisk", "-n", "1:2048:+6M", "-c", "1:root", path)
    return path


def copy_of(gpt, folder, kind):
    path = folder / f"disk.{kind.name}"
    run("qemu-img", "convert", "-f", "raw", "-O", kind.driver, gpt, path)
    return path


@pytest.mark.parametrize("kind", IN_PLACE, ids=lambda kind: kind.name)
async def test_a_disk_grows_where_it_lies_and_its_table_with_it(gpt, tmp_path, kind):
    path = copy_of(gpt, tmp_path, kind)
    told: list[Event] = []
    made = await resize_in_place(path, NewSize(8 * MIB, more=True), report=told.append)
    assert made.virtual_size == (await inspect(path)).details.virtual_size == 24 * MIB
    assert any("moved" in event.text for event in told if isinstance(event, Message))
    assert table_is_sound(path, kind.driver)
    assert content(path, kind.driver, MIB) == content(gpt, "raw", MIB)


@pytest.mark.parametrize("kind", [kind for kind in IN_PLACE if kind.name != "qed"], ids=lambda kind: kind.name)
async def test_a_disk_shrinks_to_its_partitions_and_not_further(gpt, tmp_path, kind):
    path = copy_of(gpt, tmp_path, kind)
    with pytest.raises(UsageError) as without:
        await resize_in_place(path, NewSize(8 * MIB), report=silent)
    assert without.value.key == "disk-would-shrink"
    with pytest.raises(MediaError) as caught:
        await resize_in_place(path, NewSize(7 * MIB, shrink=True), report=silent)
    assert caught.value.key == "disk-would-be-cut"
    await resize_in_place(path, NewSize(8 * MIB, shrink=True), report=silent)
    assert (await inspect(path)).details.virtual_size == 8 * MIB
    assert table_is_sound(path, kind.driver)
    assert content(path, kind.driver, MIB) == content(gpt, "raw", MIB)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
@pytest.mark.parametrize("size", [8 * MIB, 33 * MIB])
async def test_a_copy_of_another_size_in_every_format(gpt, tmp_path, kind, size):
    target = tmp_path / f"new.{kind.name}"
    await resize_copy(gpt, target, Options(kind=kind), wanted=NewSize(size, shrink=True), report=silent)
    found = await inspect(target)
    assert found.details.virtual_size == size
    assert (found.table or pytest.fail("no table")).flaw == ""
    assert table_is_sound(target, kind.driver)
    assert content(target, kind.driver, MIB) == content(gpt, "raw", MIB)


async def test_formats_that_cannot_be_resized_in_place_say_what_can_be_done(gpt, tmp_path):
    for kind in KINDS:
        if kind.resizable:
            continue
        path = copy_of(gpt, tmp_path, kind)
        before = path.read_bytes()
        with pytest.raises(MediaError) as caught:
            await resize_in_place(path, NewSize(32 * MIB), report=silent)
        assert caught.value.key == "not-resizable"
        assert "--to" in caught.value.hint
        assert path.read_bytes() == before


async def test_without_a_partition_table_only_emptiness_is_cut_off(tmp_path):
    path = tmp_path / "bare.qcow2"
    run("qemu-img", "create", "-f", "qcow2", path, "16M")
    run("qemu-io", "-c", "write -P 7 9M 64k", path)
    with pytest.raises(MediaError) as caught:
        await resize_in_place(path, NewSize(8 * MIB, shrink=True), report=silent)
    assert caught.value.key == "disk-would-be-cut"
    await resize_in_place(path, NewSize(10 * MIB, shrink=True), report=silent)
    run("qemu-io", "-c", "read -P 7 9M 64k", path)


async def test_a_damaged_table_is_left_as_it_is(gpt, tmp_path):
    path = tmp_path / "damaged.raw"
    content = bytearray(gpt.read_bytes())
    content[512 + 20] ^= 1
    path.write_bytes(content)
    told: list[Event] = []
    await resize_in_place(path, NewSize(20 * MIB), report=told.append)
    assert path.read_bytes() == bytes(content).ljust(20 * MIB, b"\0")
    assert any("left as it is" in event.text for event in told if isinstance(event, Message))


@pytest.mark.parametrize("size", [8 * MIB, 24 * MIB])
async def test_stopped_between_any_two_steps_the_next_run_finishes(gpt, tmp_path, monkeypatch, size):
    class KilledError(Exception):
        pass

    real, left = run_tool, 0

    async def dying(*words, **options):
        nonlocal left
        left -= 1
        if left < 0:
            raise KilledError
        return await real(*words, **options)

    for module in ("resize", "content", "details"):
        monkeypatch.setattr(f"quarterdeck.media.disk.{module}.run_tool", dying)
    for steps in range(8):
        path = copy_of(gpt, tmp_path, find_kind("qcow2", tmp_path))
        left = steps
        try:
            await resize_in_place(path, NewSize(size, shrink=True), report=silent)
        except KilledError:
            left = 100
            assert (await inspect(path)).details.virtual_size in (16 * MIB, size)
            await resize_in_place(path, NewSize(size, shrink=True), report=silent)
        assert table_is_sound(path, "qcow2")
        assert content(path, "qcow2", MIB) == content(gpt, "raw", MIB)
