from pathlib import Path

import pytest

from quarterdeck.build.output.destination import Destination, Kind
from quarterdeck.cli.build.beforehand import check_contexts, check_names, check_secrets, check_written, split_extra
from quarterdeck.errors import UsageError


def test_arguments_for_the_engine_are_told_from_the_context():
    assert split_extra(".", []) == (".", ())
    assert split_extra("folder", ["--squash", "x"]) == ("folder", ("--squash", "x"))
    assert split_extra("--squash", ["--label=a=b"]) == (".", ("--squash", "--label=a=b"))
    assert split_extra("-", []) == ("-", ())
    with pytest.raises(UsageError, match="one context, not 'a' and 'b'"):
        split_extra("a", ["b"])


@pytest.mark.parametrize("name", ["", "BAD NAME", f"app@sha256:{'0' * 64}"])
def test_names_that_no_image_can_have_are_refused(name):
    with pytest.raises(UsageError):
        check_names(["good:1", name])


def test_what_is_written_at_the_end_is_looked_at_in_the_beginning(tmp_path):
    (tmp_path / "file").touch()
    check_written([Destination(Kind.ENGINE), Destination(Kind.OCI_ARCHIVE, tmp_path / "image.tar"), Destination(Kind.OCI_FOLDER, tmp_path)])
    check_written([], tmp_path / "file", None)
    for wrong in (Destination(Kind.OCI_ARCHIVE, tmp_path), Destination(Kind.OCI_FOLDER, tmp_path / "file")):
        with pytest.raises(UsageError, match="is a f"):
            check_written([wrong])
    with pytest.raises(UsageError, match="two things"):
        check_written([Destination(Kind.OCI_ARCHIVE, tmp_path / "x")], tmp_path / "x")
    with pytest.raises(UsageError) as caught:
        check_written([], tmp_path / "none" / "meta.json")
    assert caught.value.reason == f"there is no folder {tmp_path / 'none'}"


def test_secrets_that_are_missing_are_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("token").touch()
    check_secrets(["id=a,src=token", "id=b,env=TOKEN", "id=c,type=env,src=TOKEN", "id=d"], {"TOKEN": "x"})
    for word, missing in (("id=a,src=none", "no file none"), ("id=b,env=NONE", "no variable NONE"), ("id=c,type=env,src=NONE", "NONE")):
        with pytest.raises(UsageError, match=missing):
            check_secrets([word], {})


def test_named_contexts_are_folders_or_elsewhere(tmp_path):
    check_contexts({"a": str(tmp_path), "b": "docker-image://debian", "c": "https://example.org/x.git", "d": "git@example.org:x"})
    with pytest.raises(UsageError, match="no folder nodir"):
        check_contexts({"a": "nodir"})
