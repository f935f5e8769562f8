import os
from pathlib import Path

import pytest

from quarterdeck.binfmt.private import idmap
from quarterdeck.binfmt.private.idmap import IdMap, Span
from quarterdeck.core import process
from quarterdeck.errors import HostError


def put(root: Path, path: str, text: str) -> None:
    file = root / path.lstrip("/")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


@pytest.fixture
def with_helpers(monkeypatch):
    monkeypatch.setattr(process, "find", lambda name: f"/usr/bin/{name}")


def subordinates(root: Path, users: str, groups: str) -> IdMap:
    put(root, "/etc/subuid", users)
    put(root, "/etc/subgid", groups)
    return idmap.subordinate_ids(4_000_000, 4_000_001, base=root)


def test_root_keeps_every_id_of_its_own_namespace(tmp_path):
    put(tmp_path, "/proc/self/uid_map", "         0       1000          1\n         1     100000      65536\n")
    put(tmp_path, "/proc/self/gid_map", "         0          0 4294967295\n")
    ids = idmap.all_ids(tmp_path)
    assert ids.users == (Span(0, 0, 1), Span(1, 1, 65536))
    assert ids.groups == (Span(0, 0, 4294967295),)
    assert not ids.subordinate


def test_an_ordinary_user_alone_is_the_only_root(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(os, "getegid", lambda: 100)
    ids = idmap.choose(root=False)
    assert ids == IdMap((Span(0, 1000, 1),), (Span(0, 100, 1),))
    assert not ids.several


@pytest.mark.usefixtures("with_helpers")
def test_subordinate_ids_follow_root_without_gaps(tmp_path):
    ids = subordinates(tmp_path, "other:1:2\n4000000:100000:65536\n4000000:300000:10\n", "4000000:200000:65536\n")
    assert ids.users == (Span(0, 4_000_000, 1), Span(1, 100_000, 65_536), Span(65_537, 300_000, 10))
    assert ids.groups == (Span(0, 4_000_001, 1), Span(1, 200_000, 65_536))
    assert ids.subordinate
    assert ids.several


@pytest.mark.usefixtures("with_helpers")
@pytest.mark.parametrize("text", ["", "4000000:x:y\n", "4000000:1\n", ":100000:65536\n", "4000000:5:0\n", "\0\n", "400000:1:1\n"])
def test_lines_that_give_nothing_are_refused_with_the_command_that_helps(tmp_path, text):
    with pytest.raises(HostError) as caught:
        subordinates(tmp_path, text, "4000000:200000:65536\n")
    assert caught.value.key == "no-subordinate-ids"
    assert "usermod --add-subuids" in caught.value.hint


def test_without_newuidmap_the_package_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(process, "find", lambda name: None)
    with pytest.raises(HostError) as caught:
        idmap.subordinate_ids(4_000_000, 4_000_000, base=tmp_path)
    assert caught.value.key in idmap.REFUSALS
    assert "uidmap" in caught.value.hint


def test_a_process_that_is_gone_gets_no_ids():
    with pytest.raises(HostError) as caught:
        idmap.write(IdMap((Span(0, 0, 1),), (Span(0, 0, 1),)), 2**22 + 1)
    assert caught.value.key == "ids-not-mapped"
    assert caught.value.reason == "No such file or directory"
