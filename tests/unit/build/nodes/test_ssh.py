import itertools
import shlex
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quarterdeck.build.nodes import ssh
from quarterdeck.build.nodes.ssh import SshAddress, login_failure, remote_words, ssh_argv

ADDRESS = SshAddress("build.example.org", user="me", port=2222)


@pytest.fixture(autouse=True)
def _runtime(monkeypatch, tmp_path):
    monkeypatch.setattr(ssh, "control_folder", lambda: Path("/run/qd-ssh"))


def options(argv):
    return dict(word.split("=", 1) for previous, word in itertools.pairwise(argv) if previous == "-o")


def test_nothing_is_asked_and_only_known_hosts_are_trusted():
    settings = options(ssh_argv(ADDRESS, ["true"]))
    assert settings["BatchMode"] == "yes"
    assert settings["StrictHostKeyChecking"] == "yes"


def test_an_unknown_host_is_written_down_only_when_that_was_said():
    assert options(ssh_argv(ADDRESS, ["true"], accept_host_key=True))["StrictHostKeyChecking"] == "accept-new"


def test_the_command_is_one_word_behind_the_host():
    argv = ssh_argv(ADDRESS, ["buildah", "build", "-t", "a b", "$(id)"])
    assert argv[-3:] == ["--", "build.example.org", "buildah build -t 'a b' '$(id)'"]
    assert argv[argv.index("-p") + 1] == "2222"
    assert argv[argv.index("-l") + 1] == "me"


@given(st.lists(st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"])), min_size=1))
def test_quoting_keeps_every_word(words):
    assert shlex.split(remote_words(words)) == words


def test_other_keys_and_other_host_keys_do_not_share_a_connection():
    paths = {
        options(ssh_argv(address, ["true"]))["ControlPath"]
        for address in (ADDRESS, SshAddress("h", identity=Path("/a")), SshAddress("h", identity=Path("/b")), SshAddress("h", alias="x"))
    }
    assert len(paths) == 4
    assert all(len(path) - 2 + 40 + 17 <= 107 for path in paths)


def test_without_a_safe_folder_connections_are_not_shared(monkeypatch):
    monkeypatch.setattr(ssh, "control_folder", lambda: None)
    assert options(ssh_argv(ADDRESS, ["true"]))["ControlMaster"] == "no"


def test_a_key_of_the_users_is_the_only_one_offered():
    argv = ssh_argv(SshAddress("h", identity=Path("/key")), ["true"])
    assert options(argv)["IdentitiesOnly"] == "yes"
    assert argv[argv.index("-i") + 1] == "/key"


def test_a_file_of_host_keys_may_have_any_name():
    settings = options(ssh_argv(SshAddress("h", known_hosts=Path("/a b/%d$"), alias="n"), ["true"]))
    assert settings["UserKnownHostsFile"] == '"/a b/%%d$"'
    assert settings["HostKeyAlias"] == "n"


@pytest.mark.parametrize(
    ("words", "key", "hint"),
    [
        (
            "No ED25519 host key is known for [h]:2222 and you have requested strict checking.\nHost key verification failed.",
            "ssh-host-key-unknown",
            "--accept-host-key",
        ),
        (
            "@@@\n@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.",
            "ssh-host-key-changed",
            "ssh-keygen -R '[build.example.org]:2222'",
        ),
        ("me@h: Permission denied (publickey).", "ssh-denied", "ssh-copy-id -p 2222 me@build.example.org"),
        ("ssh: connect to host h port 22: Connection refused", "ssh-failed", "sshd"),
        ("", "ssh-failed", "sshd"),
    ],
)
def test_failures_say_what_to_do(words, key, hint):
    error = login_failure(ADDRESS, words)
    assert error.key == key
    assert hint in error.hint
    assert error.exit_code == 6


def test_a_folder_that_others_may_enter_is_not_used(tmp_path):
    (tmp_path / "open").mkdir(mode=0o755)
    (tmp_path / "link").symlink_to(tmp_path / "new")
    assert not ssh._is_private(tmp_path / "open")
    assert not ssh._is_private(tmp_path / "link")
    assert not ssh._is_private(tmp_path / "absent/deeper")
    assert ssh._is_private(tmp_path / "new")
    assert ssh._is_private(tmp_path / "new")
