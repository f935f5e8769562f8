import os
from pathlib import Path

import pytest

from quarterdeck.core import paths


def test_the_variable_moves_everything(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("QUARTERDECK_HOME", str(tmp_path / "a b"))
    assert paths.home() == tmp_path / "a b"
    assert {paths.machines().parent, paths.images().parent, paths.cache().parent} == {tmp_path / "a b"}


def test_a_relative_variable_is_made_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("QUARTERDECK_HOME", "here")
    assert paths.home() == tmp_path / "here"


def test_root_and_other_users_have_different_homes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("QUARTERDECK_HOME", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", "/home/someone/data")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert paths.home() == Path("/var/lib/quarterdeck")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert paths.home() == Path("/home/someone/data/quarterdeck")
