import json
from pathlib import Path
from typing import Any

import pytest

from quarterdeck.core import clock
from quarterdeck.media.fetch import journal as journals
from quarterdeck.media.fetch.journal import Identity, Journal

IDENTITY = Identity("example.org", '"1"', "", 100)


@pytest.fixture
def part(tmp_path: Path) -> Path:
    path = tmp_path / "x.part"
    path.write_bytes(bytes(100))
    return path


def test_after_a_kill_all_that_was_written_counts_and_after_a_reboot_what_was_synchronised(
    part: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = part.with_suffix(".json")
    Journal(IDENTITY, ((0, 80),), ((0, 30),)).save(path, sync=False)
    left = journals.load(path, part)
    assert left is not None
    assert left.written == ((0, 80),)
    monkeypatch.setattr(clock, "boot_id", lambda: "another")
    left = journals.load(path, part)
    assert left is not None
    assert left.written == ((0, 30),)


@pytest.mark.parametrize(
    "damage",
    [
        {"schema": 2},
        {"written": [[0, 101]]},
        {"written": [[5, 1]]},
        {"written": "x"},
        {"identity": None},
        {"identity": {"place": "", "etag": "", "modified": "", "total": "9"}},
    ],
)
def test_a_journal_that_does_not_fit_its_file_counts_as_absent(part: Path, damage: dict[str, Any]) -> None:
    path = part.with_suffix(".json")
    Journal(IDENTITY, ((0, 80),)).save(path, sync=True)
    path.write_text(json.dumps({**json.loads(path.read_text()), **damage}))
    assert journals.load(path, part) is None


def test_cut_off_journals_and_missing_files_count_as_absent(part: Path) -> None:
    path = part.with_suffix(".json")
    assert journals.load(path, part) is None
    Journal(IDENTITY, ((0, 80),)).save(path, sync=False)
    path.write_bytes(path.read_bytes()[:20])
    assert journals.load(path, part) is None
    part.unlink()
    assert journals.load(path, part) is None


def test_the_same_file_is_known_by_its_tag_or_date_and_size() -> None:
    assert IDENTITY.same(Identity("example.org", '"1"', "", 100), verifiable=False)
    assert not IDENTITY.same(Identity("example.org", '"2"', "", 100), verifiable=True)
    assert not IDENTITY.same(Identity("example.org", '"1"', "", 99), verifiable=True)
    assert IDENTITY.same(Identity("mirror.example", '"x"', "", 100), verifiable=True)
    assert not IDENTITY.same(Identity("mirror.example", '"1"', "", 100), verifiable=False)
    dated = Identity("example.org", "", "Tue, 01 Sep 2026 00:00:00 GMT", 100)
    assert not dated.same(Identity("example.org", "", "Wed, 02 Sep 2026 00:00:00 GMT", 100), verifiable=False)


def test_weak_tags_are_not_used_for_if_range() -> None:
    assert Identity("h", 'W/"1"', "date", 1).if_range == "date"
    assert Identity("h", '"1"', "date", 1).if_range == '"1"'


def test_nothing_goes_on_without_a_way_to_see_that_the_file_changed() -> None:
    blind = Journal(Identity("h", "", "", 10), ((0, 5),))
    assert not journals.usable(blind, verifiable=False)
    assert journals.usable(blind, verifiable=True)
    assert not journals.usable(Journal(Identity("h", '"1"', "", None), ((0, 5),)), verifiable=True)
