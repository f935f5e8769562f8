import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from quarterdeck.core import fs


def test_a_written_file_has_its_content_and_mode(tmp_path: Path) -> None:
    target = tmp_path / "a b,c.json"
    fs.write_atomic(target, b"one", mode=0o640)
    assert target.read_bytes() == b"one"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


def test_writing_again_replaces_the_file_and_leaves_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "state"
    fs.write_atomic(target, b"one")
    fs.write_atomic(target, b"two")
    assert target.read_bytes() == b"two"
    assert os.listdir(tmp_path) == ["state"]


def test_a_failed_write_keeps_the_old_file_and_leaves_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "state"
    fs.write_atomic(target, b"old")

    def no_space(source: Any, destination: Any) -> Any:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", no_space)
    with pytest.raises(OSError, match="No space"):
        fs.write_atomic(target, b"new")
    assert target.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["state"]


def test_json_keeps_letters_of_all_languages(tmp_path: Path) -> None:
    fs.write_json(tmp_path / "x.json", {"name": "Küche"})
    assert "Küche" in (tmp_path / "x.json").read_text(encoding="utf-8")
    assert json.loads((tmp_path / "x.json").read_bytes()) == {"name": "Küche"}


def test_a_folder_that_cannot_be_synced_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(handle: Any) -> Any:
        raise OSError(22, "Invalid argument")

    monkeypatch.setattr(os, "fsync", refuse)
    fs.sync_directory(tmp_path)


def test_a_folder_on_a_broken_disk_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(handle: Any) -> Any:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(OSError, match="Input/output"):
        fs.sync_directory(tmp_path)


def test_a_lock_is_held_until_its_descriptor_closes(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    held = fs.try_lock(path)
    assert held is not None
    assert fs.try_lock(path) is None
    os.close(held)
    again = fs.try_lock(path)
    assert again is not None
    os.close(again)


def test_a_locked_block_frees_its_lock_also_after_an_error(tmp_path: Path) -> None:
    path = tmp_path / "lock"

    def fail_inside() -> Any:
        with fs.locked(path):
            assert fs.try_lock(path) is None
            raise ValueError("inside")

    with pytest.raises(ValueError, match="inside"):
        fail_inside()
    handle = fs.try_lock(path)
    assert handle is not None
    os.close(handle)
