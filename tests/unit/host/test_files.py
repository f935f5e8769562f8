import os

import pytest
from tests.unit.host.fake_host import FakeHost

from quarterdeck.host.files import entries, exists, number, read_number, read_text


def test_text_comes_without_surrounding_space(host: FakeHost) -> None:
    host.write("/proc/x", "  7 \n")
    assert read_text(host.root, "/proc/x") == "7"
    assert read_number(host.root, "/proc/x") == 7


@pytest.mark.parametrize("content", ["max", "-1", "1.5", "٣", "9" * 30, "", "7 7"])
def test_what_is_no_number_is_none(content: str) -> None:
    assert number(content) is None


def test_missing_files_folders_and_pipes_are_empty_and_never_wait(host: FakeHost) -> None:
    host.folder("/proc/folder")
    os.mkfifo(host.root / "pipe")
    assert read_text(host.root, "/nothing") == ""
    assert read_text(host.root, "/proc/folder") == ""
    assert read_text(host.root, "/pipe") == ""
    assert read_text(host.root, "/a\0b") == ""
    assert entries(host.root, "/nothing") == []
    assert not exists(host.root, "/a\0b")


def test_odd_bytes_are_replaced_and_large_files_cut(host: FakeHost) -> None:
    host.write("/odd", b"\xff\xfea\0b")
    host.write("/large", b"x" * (3 << 20))
    assert read_text(host.root, "/odd").endswith("a b")
    assert len(read_text(host.root, "/large")) == 1 << 20


def test_a_loop_of_links_is_empty(host: FakeHost) -> None:
    host.link("/loop", "loop")
    assert read_text(host.root, "/loop") == ""
    assert not exists(host.root, "/loop")
