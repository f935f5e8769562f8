import os
import shlex

import pytest

from quarterdeck.binfmt.private import obstacles
from quarterdeck.binfmt.private.instance import Instance
from quarterdeck.errors import HostError, UsageError


@pytest.fixture(autouse=True)
def programs(monkeypatch):
    monkeypatch.setattr(obstacles, "find_program", lambda name: name)


def test_a_command_enters_by_pid_and_keeps_who_it_is():
    argv = Instance(77, True, ()).argv(["id", "-u"], cwd="/usr")
    words = "nsenter --target 77 --user --mount --wdns=/usr --preserve-credentials -- setpriv --pdeathsig KILL -- id -u"
    assert shlex.join(argv) == words


def test_an_ordinary_user_gets_its_own_id_back():
    argv = Instance(77, False, ()).argv(["id"], cwd="/", dies_with_us=False)
    assert argv[-5:] == ["unshare", f"--map-user={os.getuid()}", f"--map-group={os.getgid()}", "--", "id"]


def test_no_command_is_wrong_use():
    with pytest.raises(UsageError) as caught:
        Instance(77, True, ()).argv([])
    assert caught.value.key == "no-command"


def test_a_current_folder_that_is_gone_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "getcwd", lambda: (_ for _ in ()).throw(FileNotFoundError()))
    with pytest.raises(HostError) as caught:
        Instance(77, True, ()).argv(["id"])
    assert caught.value.key == "folder-missing"


def test_a_command_that_is_not_there_is_an_error_of_ours():
    with pytest.raises(HostError) as caught:
        Instance(77, True, ()).run_foreground(["no-such-program-xyz"], cwd="/")
    assert caught.value.key == "program-missing"
