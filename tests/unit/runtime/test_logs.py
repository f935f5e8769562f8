import os

import pytest

from quarterdeck.runtime import logs


def test_tail_returns_the_end(tmp_path):
    path = tmp_path / "log"
    path.write_bytes(b"0123456789")
    assert logs.tail(path, 4) == b"6789"
    assert logs.tail(path, 100) == b"0123456789"
    assert logs.tail(path, 0) == b""
    assert logs.tail(path, -5) == b""


def test_missing_log_is_empty(tmp_path):
    assert logs.tail(tmp_path / "none", 10) == b""


def test_links_pipes_and_folders_are_not_read(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("secret")
    (tmp_path / "link").symlink_to(secret)
    os.mkfifo(tmp_path / "pipe")
    assert [logs.tail(tmp_path / name, 10) for name in ("link", "pipe", ".")] == [b"", b"", b""]


def test_last_lines_skip_empty_ones(tmp_path):
    path = tmp_path / "log"
    path.write_bytes(b"one\n\ntwo\nthree \xff\n\n")
    assert logs.tail_text(path, lines=2) == "two\nthree �"


def test_fresh_log_keeps_the_earlier_one_aside(tmp_path):
    path = tmp_path / "log"
    path.write_text("old")
    os.close(logs.open_fresh(path, None))
    assert path.read_text() == ""
    assert (tmp_path / "log.1").read_text() == "old"
    assert path.stat().st_mode & 0o777 == 0o600


def test_fresh_log_does_not_write_through_a_link(tmp_path):
    target = tmp_path / "target"
    target.write_text("kept")
    path = tmp_path / "log"
    path.symlink_to(target)
    os.close(logs.open_fresh(path, None))
    assert target.read_text() == "kept"
    assert not path.is_symlink()


def test_only_regular_files_are_opened(tmp_path):
    with pytest.raises(OSError):
        logs.open_regular(tmp_path)


def test_log_that_grew_too_long_is_cut_and_its_end_kept(tmp_path):
    path = tmp_path / "log"
    path.write_bytes(b"x" * 100)
    with path.open("ab") as writer:
        assert not logs.limit(path, 100)
        assert logs.limit(path, 99)
        writer.write(b"new")
    assert path.read_bytes() == b"new"
    assert (tmp_path / "log.1").read_bytes() == b"x" * 100


def test_limit_leaves_links_alone(tmp_path):
    target = tmp_path / "target"
    target.write_bytes(b"x" * 100)
    (tmp_path / "log").symlink_to(target)
    assert not logs.limit(tmp_path / "log", 1)
    assert not logs.limit(tmp_path / "none", 1)
    assert target.stat().st_size == 100
