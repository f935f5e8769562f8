import io
import sys
import tarfile
from types import SimpleNamespace

import pytest

from quarterdeck.cli.build.source import read_source
from quarterdeck.errors import UsageError


def archive(mode):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode=mode) as tar:
        tar.addfile(tarfile.TarInfo("Dockerfile"))
    return packed.getvalue()


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz", "w:bz2"])
def test_contexts_in_archives_are_refused_with_a_way_out(tmp_path, monkeypatch, mode):
    (tmp_path / "context").write_bytes(archive(mode))
    with pytest.raises(UsageError, match="is an archive") as caught:
        read_source(str(tmp_path / "context"), None)
    assert "unpack it" in caught.value.hint
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(archive(mode))))
    with pytest.raises(UsageError, match="standard input is an archive"):
        read_source("-", None)


def test_path_is_none_where_the_file_cannot_be_read_twice(tmp_path, monkeypatch):
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    assert read_source(str(tmp_path), None).path == tmp_path / "Dockerfile"
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"FROM scratch\n")))
    assert read_source("-", None).path is None
