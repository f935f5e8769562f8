import os
from pathlib import Path
from typing import Any

import pytest

from quarterdeck.core import paths
from quarterdeck.host import cache


def only_file() -> Any:
    return next(paths.cache().iterdir())


def test_an_answer_is_remembered_for_its_question_only() -> None:
    cache.remember("qemu", "which?", {"version": [7, 2, 0]})
    assert cache.recall("qemu", "which?") == {"version": [7, 2, 0]}
    assert cache.recall("qemu", "another?") is None
    assert cache.recall("kvm", "which?") is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"question": "other", "answer": {}}',
        b'{"question": "which?", "answer": [1]}',
        b'{"question": "which?"}',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
def test_a_malformed_entry_is_ignored(content: str) -> None:
    cache.remember("qemu", "which?", {"a": 1})
    only_file().write_bytes(content)
    assert cache.recall("qemu", "which?") is None


def test_an_entry_that_is_too_large_is_ignored() -> None:
    cache.remember("qemu", "which?", {"a": "x" * (2 << 20)})
    assert cache.recall("qemu", "which?") is None


def test_an_entry_that_is_a_link_or_a_pipe_is_ignored(tmp_path: Path) -> None:
    cache.remember("qemu", "which?", {"a": 1})
    file = only_file()
    copy = tmp_path / "copy"
    copy.write_bytes(file.read_bytes())
    file.unlink()
    file.symlink_to(copy)
    assert cache.recall("qemu", "which?") is None
    file.unlink()
    os.mkfifo(file)
    assert cache.recall("qemu", "which?") is None
    file.unlink()
    file.mkdir()
    assert cache.recall("qemu", "which?") is None


def test_an_entry_of_somebody_else_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    cache.remember("qemu", "which?", {"a": 1})
    owner = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    assert cache.recall("qemu", "which?") is None


def test_a_cache_that_cannot_be_written_costs_only_time(home: Path) -> None:
    (home / "cache").write_text("not a folder", encoding="utf-8")
    cache.remember("qemu", "which?", {"a": 1})
    assert cache.recall("qemu", "which?") is None
