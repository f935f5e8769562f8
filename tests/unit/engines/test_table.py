"""The table of engines that are built from Go modules, its go.mod files, and what their keys stand on."""

import dataclasses
import os
import re
from pathlib import Path

import pytest
from scripts.engines import place, table
from scripts.engines.table import Engine, engine, engines

from quarterdeck.errors import UsageError

ROOT = Path(__file__).parents[3]


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """An engine whose files can be changed."""
    folder = tmp_path / "buildx"
    folder.mkdir()
    for name in ("go.mod", "go.sum"):
        (folder / name).write_bytes((engine("buildx").folder / name).read_bytes())
    monkeypatch.setattr(table, "FOLDER", tmp_path)
    return Engine("buildx", "github.com/docker/buildx", {"docker-buildx": "cmd/buildx"}, "example.org/version.Version")


@pytest.mark.parametrize("known", engines(), ids=lambda known: known.name)
def test_an_engine_has_a_module_with_its_programs_as_tools(known: Engine) -> None:
    text = (known.folder / "go.mod").read_text(encoding="utf-8")
    assert re.fullmatch(r"v\d+\.\d+\.\d+", known.version)
    assert {known.package(program) for program in known.programs} <= set(text.replace("tool ", "").split())
    assert (known.folder / "go.sum").stat().st_size > 0


@pytest.mark.parametrize("known", engines(), ids=lambda known: known.name)
def test_go_is_new_enough_for_it(known: Engine) -> None:
    asked = re.search(r"^go ([\d.]+)$", (known.folder / "go.mod").read_text(encoding="utf-8"), re.MULTILINE)
    assert asked is not None
    assert [int(part) for part in asked[1].split(".")] <= [int(part) for part in table.GO.split(".")]


def test_no_folder_is_left_without_its_engine() -> None:
    assert {path.parent.name for path in table.FOLDER.glob("*/go.mod")} == {known.name for known in engines()}


def test_versions_are_linked_as_the_engines_spell_them() -> None:
    assert engine("docker").linked.endswith(f"Version={engine('docker').version.removeprefix('v')}")
    assert engine("buildkit").linked.endswith(f"Version={engine('buildkit').version}")


def test_an_unknown_engine_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(UsageError) as caught:
        engine("dokcer")
    assert "docker-cli" in caught.value.hint


def test_a_module_without_its_engine_is_refused(copied: Engine) -> None:
    (copied.folder / "go.mod").write_text("module x\n", encoding="utf-8")
    with pytest.raises(UsageError):
        _ = copied.version


def test_the_key_is_another_when_anything_is(copied: Engine) -> None:
    keys = [copied.key("linux/amd64"), copied.key("linux/arm64")]
    keys.append(dataclasses.replace(copied, programs={"docker-buildx": "cmd/other"}).key("linux/amd64"))
    keys.append(dataclasses.replace(copied, version_variable="example.org/other.Version").key("linux/amd64"))
    with (copied.folder / "go.sum").open("a", encoding="utf-8") as file:
        file.write("one more\n")
    keys.append(copied.key("linux/amd64"))
    assert len(set(keys)) == len(keys)
    assert all(key.startswith("buildx-") for key in keys)


def test_only_a_whole_set_of_programs_counts_as_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUARTERDECK_TEST_CACHE", str(tmp_path))
    known = engine("buildkit")
    folder = place.folder_of(known)
    folder.mkdir()
    for name in known.programs:
        assert not place.is_built(known)
        (folder / name).touch(0o755)
    assert place.is_built(known)


def test_programs_that_nobody_used_for_long_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUARTERDECK_TEST_CACHE", str(tmp_path))
    folders = {name: place.home() / name for name in ("used-1", "old-1", "young-1", place.WORKSHOP)}
    for folder in folders.values():
        folder.mkdir()
    for name in ("used-1", "old-1", place.WORKSHOP):
        os.utime(folders[name], (0, 0))
    place.remove_old({folders["used-1"]})
    assert sorted(path.name for path in place.home().iterdir()) == ["used-1", place.WORKSHOP, "young-1"]


def test_the_first_lane_leaves_the_second_alone() -> None:
    selections = re.findall(r'\$\(PYTEST\) -m "?([^"\n]+)', (ROOT / "Makefile").read_text(encoding="utf-8"))
    assert [(text == "engines", "$(FIRST)" in text) for text in selections] == [(False, True), (False, True), (True, False)]
