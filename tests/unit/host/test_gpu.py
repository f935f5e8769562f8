import os
from pathlib import Path

import pytest

from quarterdeck.core.process import Identity
from quarterdeck.host.gpu import render_nodes
from quarterdeck.host.identity import NOBODY

QEMU = Identity(2_100_000_001, 2_100_000_001)


@pytest.fixture
def node(tmp_path: Path) -> Path:
    file = tmp_path / "dev/dri/renderD128"
    file.parent.mkdir(parents=True)
    (file.parent / "card0").touch()
    file.touch()
    return file


def own(file: Path, group: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let ``file`` seem to belong to ``group``: an ordinary user can give files to none."""
    real = os.stat
    monkeypatch.setattr(os, "stat", lambda path, **more: _with_group(real(path, **more), group) if path == file else real(path, **more))


def _with_group(status: os.stat_result, group: int) -> os.stat_result:
    return os.stat_result((*status[:5], group, *status[6:]))


def test_a_host_without_gpu_has_no_nodes(tmp_path):
    assert render_nodes(None, tmp_path) == ()


def test_the_caller_opens_it_himself(node, tmp_path):
    (found,) = render_nodes(None, tmp_path)
    assert (found.path, found.problem) == ("/dev/dri/renderD128", None)


@pytest.mark.parametrize(
    ("mode", "group", "usable", "joins"),
    [(0o666, 44, True, 0), (0o660, 44, True, 44), (0o600, 44, False, 0), (0o660, 0, False, 0), (0o660, NOBODY, False, 0)],
)
def test_a_user_of_its_own_needs_a_group_that_may(node, tmp_path, monkeypatch, mode, group, usable, joins):
    node.chmod(mode)
    own(node, group, monkeypatch)
    (found,) = render_nodes(QEMU, tmp_path)
    assert (found.problem is None, found.group) == (usable, joins)
