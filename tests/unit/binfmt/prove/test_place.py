import os
from pathlib import Path

import pytest

from quarterdeck.binfmt.prove import place
from quarterdeck.binfmt.prove.place import choose_place, empty_root
from quarterdeck.errors import HostError

FLAGS = {"/plain": 0, "/noexec": os.ST_NOEXEC, "/nosuid": os.ST_NOSUID, "/both": os.ST_NOEXEC | os.ST_NOSUID}


@pytest.fixture(autouse=True)
def mounts(monkeypatch):
    monkeypatch.setattr(place, "_flags", lambda folder: FLAGS.get(str(folder)))


@pytest.mark.parametrize(
    ("folders", "chosen", "nosuid", "passed_over"),
    [
        (["/plain", "/nosuid"], "/plain", False, []),
        (["/noexec", "/plain"], "/plain", False, ["/noexec"]),
        (["/nosuid", "/plain"], "/plain", False, []),
        (["/missing", "/both", "/nosuid"], "/nosuid", True, ["/both"]),
    ],
)
def test_the_first_folder_that_allows_all_is_taken(folders, chosen, nosuid, passed_over):
    found = choose_place(map(Path, folders))
    assert (str(found.base), found.nosuid, [str(folder) for folder in found.passed_over]) == (chosen, nosuid, passed_over)


@pytest.mark.parametrize(("folders", "reason"), [(["/noexec", "/both"], "mounted noexec: /noexec, /both"), ([], "none can be written")])
def test_without_one_the_error_says_why(folders, reason):
    with pytest.raises(HostError) as caught:
        choose_place(map(Path, folders))
    assert caught.value.reason == reason
    assert "TMPDIR" in caught.value.hint


def test_the_root_is_empty_closed_to_others_and_removed(tmp_path):
    with empty_root(tmp_path) as root:
        assert list(root.iterdir()) == []
        assert root.parent.stat().st_mode & 0o777 == 0o700
        assert root.stat().st_mode & 0o777 == 0o755
        (root / "file").touch()
    assert list(tmp_path.iterdir()) == []


def test_a_base_that_is_gone_is_an_error_for_people(tmp_path):
    with pytest.raises(HostError) as caught, empty_root(tmp_path / "missing"):
        pass
    assert caught.value.key == "programs-not-written"
