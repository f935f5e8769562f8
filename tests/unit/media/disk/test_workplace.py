import os

import pytest

from quarterdeck.core.report import Message
from quarterdeck.errors import HostError, MediaError
from quarterdeck.media.disk.workplace import check_target, sweep, workplace


def test_what_is_published_is_there_and_nothing_else(tmp_path):
    target = tmp_path / "disk.raw"
    with workplace(target, print) as work:
        made = work.new(target)
        made.write_bytes(b"whole")
        work.publish(made, target, force=False)
    assert [path.name for path in tmp_path.iterdir()] == ["disk.raw"]
    assert target.read_bytes() == b"whole"


def test_a_file_that_came_meanwhile_is_not_overwritten(tmp_path):
    target = tmp_path / "disk.raw"
    with workplace(target, print) as work:
        made = work.new(target)
        made.write_bytes(b"new")
        target.write_bytes(b"precious")
        with pytest.raises(MediaError) as caught:
            work.publish(made, target, force=False)
        assert caught.value.key == "disk-exists"
        assert target.read_bytes() == b"precious"
        work.publish(made, target, force=True)
    assert target.read_bytes() == b"new"


def test_without_hard_links_nothing_is_overwritten_either(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(1, "no hard links here")

    monkeypatch.setattr(os, "link", refuse)
    target = tmp_path / "disk.raw"
    with workplace(target, print) as work:
        made = work.new(target)
        made.write_bytes(b"new")
        work.publish(made, target, force=False)
        made.write_bytes(b"newer")
        with pytest.raises(MediaError):
            work.publish(made, target, force=False)
    assert target.read_bytes() == b"new"


def test_leftovers_go_and_are_told_and_what_is_in_use_stays(tmp_path):
    left = tmp_path / ".quarterdeck-abcdefgh.work"
    (left / "made").mkdir(parents=True)
    (left / "made/disk").write_bytes(bytes(8192))
    (tmp_path / ".quarterdeck-notes").write_text("the user's own")
    (tmp_path / ".quarterdeck-ijklmnop.work").symlink_to(tmp_path)
    told: list[Message] = []
    with workplace(tmp_path / "one", told.append) as first:  # type: ignore[arg-type]
        assert not left.exists()
        with workplace(tmp_path / "two", told.append) as second:  # type: ignore[arg-type]
            assert first.folder.exists()
            assert second.folder.exists()
    (message,) = told
    assert str(left) in message.text
    assert "8 KiB" in message.text
    assert sorted(path.name for path in tmp_path.iterdir()) == [".quarterdeck-ijklmnop.work", ".quarterdeck-notes"]


def test_a_file_system_without_locks_keeps_what_may_be_in_use(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(37, "no locks available")

    left = tmp_path / ".quarterdeck-abcdefgh.work"
    left.mkdir()
    monkeypatch.setattr("fcntl.flock", refuse)
    told: list[Message] = []
    sweep(tmp_path, told.append)  # type: ignore[arg-type]
    assert left.exists()
    assert "may have left" in told[0].text


def test_targets_that_would_cost_something_are_refused(tmp_path):
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "folder").mkdir()
    assert check_target(tmp_path / "new", force=False) == tmp_path / "new"
    assert check_target(tmp_path / "file", force=True) == tmp_path / "file"
    for name, force, key in (("file", False, "disk-exists"), ("folder", True, "target-not-a-file"), ("folder", False, "target-not-a-file")):
        with pytest.raises(MediaError) as caught:
            check_target(tmp_path / name, force=force)
        assert caught.value.key == key
    with pytest.raises(HostError):
        check_target(tmp_path / "no/folder", force=False)


def test_space_is_compared_with_what_is_needed(tmp_path):
    with workplace(tmp_path / "disk", print) as work:
        work.check_room(0)
        with pytest.raises(HostError) as caught:
            work.check_room(1 << 60)
    assert caught.value.key == "disk-full"
