import asyncio
import json
import stat

import pytest

from quarterdeck.core.fs import try_lock
from quarterdeck.core.report import silent
from quarterdeck.errors import MediaError
from quarterdeck.media.store import ImageStore, Manifest

MANIFEST = Manifest(disk="disk", virtual_size=1, kernel="", initrd="", cmdline="", uefi=True, bios=False, login="debian", origin="test")


def builder(content: bytes = b"disk", calls: list | None = None):
    async def build(folder):
        if calls is not None:
            calls.append(folder)
        (folder / "disk").write_bytes(content)
        (folder / "disk").chmod(0o600)
        await asyncio.sleep(0)
        return MANIFEST

    return build


async def test_an_image_is_built_once_and_found_again(tmp_path):
    calls: list = []
    store = ImageStore(tmp_path / "images")
    first = await store.obtain("key", builder(calls=calls), report=silent)
    second = await store.obtain("key", builder(calls=calls), report=silent)
    assert first == second == store.find("key")
    assert len(calls) == 1
    assert first.disk == tmp_path / "images/key/disk"


async def test_everybody_may_read_what_is_stored(tmp_path):
    image = await ImageStore(tmp_path / "images").obtain("key", builder(), report=silent)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in [image.folder, *image.folder.iterdir()]}
    assert modes == {"key": 0o755, "disk": 0o644, "manifest.json": 0o644}


async def test_a_refresh_makes_a_new_generation_and_keeps_the_old_one(tmp_path):
    store = ImageStore(tmp_path)
    old = await store.obtain("key", builder(b"old"), report=silent)
    new = await store.obtain("key", builder(b"new"), report=silent, refresh=True)
    assert old.disk.read_bytes() == b"old"
    assert new.folder.name == "key.2"
    assert store.find("key") == new
    assert (await store.obtain("key", builder(), report=silent, refresh=True)).folder.name == "key.3"


async def test_a_failed_build_leaves_nothing(tmp_path):
    async def build(folder):
        (folder / "half").write_bytes(b"")
        raise MediaError("broken", "broken")

    store = ImageStore(tmp_path)
    with pytest.raises(MediaError):
        await store.obtain("key", build, report=silent)
    assert [path.name for path in tmp_path.iterdir()] == [".key.lock"]
    assert store.find("key") is None


async def test_a_cancelled_build_leaves_nothing(tmp_path):
    started = asyncio.Event()

    async def build(folder):
        started.set()
        await asyncio.sleep(3600)
        raise AssertionError

    task = asyncio.create_task(ImageStore(tmp_path).obtain("key", build, report=silent))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [path.name for path in tmp_path.iterdir()] == [".key.lock"]


async def test_leftovers_of_killed_builds_are_removed(tmp_path):
    leftover = tmp_path / ".key.building-abc"
    leftover.mkdir()
    other = tmp_path / ".other.building-abc"
    other.mkdir()
    await ImageStore(tmp_path).obtain("key", builder(), report=silent)
    assert not leftover.exists()
    assert other.exists()


async def test_the_second_of_two_waits_says_so_and_takes_what_the_first_built(tmp_path, monkeypatch):
    monkeypatch.setattr("quarterdeck.media.entries._POLL_SECONDS", 0.001)
    calls: list = []
    events: list = []
    store = ImageStore(tmp_path)
    results = await asyncio.gather(*(store.obtain("key", builder(calls=calls), report=events.append) for _ in range(3)))
    assert len(calls) == 1
    assert results[0] == results[1] == results[2]
    assert any("waiting" in event.detail for event in events)


async def test_an_entry_that_cannot_be_read_is_built_again(tmp_path):
    broken = tmp_path / "key"
    broken.mkdir()
    for text in ("", "[]", "{}", json.dumps({"schema": 99}), json.dumps({"schema": 1, "created": 0, "disk": "missing"})):
        (broken / "manifest.json").write_text(text)
        assert ImageStore(tmp_path).find("key") is None
    assert (await ImageStore(tmp_path).obtain("key", builder(), report=silent)).folder.name == "key.2"


def test_a_lock_file_is_not_taken_twice(tmp_path):
    handle = try_lock(tmp_path / "lock")
    assert handle is not None
    assert try_lock(tmp_path / "lock") is None


@pytest.mark.parametrize("key", ["", "../x", "A", "a/b", ".hidden"])
def test_keys_are_plain_names(tmp_path, key):
    with pytest.raises(ValueError, match="not a key"):
        ImageStore(tmp_path).find(key)
