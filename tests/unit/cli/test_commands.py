"""The command line itself: help, wrong words, errors and their exit codes; no process is started."""

import json
import os
import re
import sys

import pytest
from typer.testing import CliRunner

from quarterdeck.cli import main
from quarterdeck.cli.commands import COMMANDS, build
from quarterdeck.core import clock
from quarterdeck.core.handle import ProcessHandle
from quarterdeck.machine.spec import MachineSpec
from quarterdeck.runtime import statefile
from quarterdeck.runtime.state import State
from quarterdeck.runtime.store import MachineStore


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("QUARTERDECK_HOME", str(tmp_path))
    return tmp_path


def call(*words, stdin=None):
    return CliRunner().invoke(build(words), list(words), input=stdin, env={"COLUMNS": "120", "TERM": "dumb"})


def test_help_lists_every_command_below_its_heading():
    text = call("--help").output
    assert {name for name in COMMANDS if not re.search(rf"^\W+{name} ", text, re.MULTILINE)} == set()
    assert "Life of a machine" in text


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_a_command_shows_words_as_one_types_them(name):
    done = call(name, "-h")
    assert done.exit_code == 0
    assert f"Usage: qd {name}" in done.output or f"{name} [OPTIONS]" in done.output
    assert not re.search(r"[{}]|<bool>|\.\.\.\.|\[\[", done.output)


@pytest.mark.parametrize("name", COMMANDS)
def test_command_alone_is_the_same_as_among_all(name):
    assert CliRunner().invoke(build([name]), [name, "-h"]).exit_code == 0


@pytest.mark.parametrize(
    ("words", "event"),
    [
        (["ls", "--json", "--nope"], False),
        (["nodes", "ls", "--nope", "--json"], False),
        (["nodes", "nope", "--json"], False),
        (["build", "--progress=json", "--nope"], True),
        (["build", "--json", "--progress", "json", "--step-timeout", "soon"], True),
    ],
)
def test_wrong_words_are_json_where_json_is_read(words, event):
    done = call(*words)
    assert (done.exit_code, done.stdout) == (2, "")
    error = json.loads(done.stderr)
    assert (error["key"], error["exit_code"], error.get("type")) == ("usage", 2, "error" if event else None)
    assert "--help" in error["hint"]


@pytest.mark.parametrize("words", [["build", "--nope", "--", "--json"], ["ls", "--nope"], ["build", "--progress", "jsn"]])
def test_wrong_words_are_for_people_where_no_json_is_asked_for(words):
    assert "Usage:" in call(*words).stderr


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["rn"], "Did you mean 'run'?"),
        (["ls", "--jsn"], "--json"),
        (["stop"], "NAME"),
        (["stop", "x", "--timeout", "-1"], "--timeout"),
        (["logs", "x", "--log", "kernel"], "serial"),
        (["run", "x", "--progress", "fancy"], "plain"),
    ],
)
def test_wrong_words_end_with_2_and_say_what_was_meant(words, text):
    done = call(*words)
    assert done.exit_code == 2
    assert text in done.output


@pytest.mark.parametrize(
    "words",
    [
        ["run"],
        ["run", "debian", "--rm", "--detach"],
        ["run", "nosuch.yaml"],
        ["run", "debian", "--memory", "lots"],
        ["explain"],
        *([name, "nosuch"] for name in ("start", "stop", "inspect", "logs", "serial", "open", "screenshot", "pause", "restart", "rm")),
    ],
)
def test_what_makes_no_sense_ends_with_2_and_makes_nothing(words, home):
    done = call(*words)
    assert done.exit_code == 2
    assert done.stderr.startswith("error: ")
    assert not (home / "machines").exists()


def test_all_that_is_wrong_on_the_command_line_is_said_at_once():
    text = call("run", "debian", "--memory", "lots", "--cpus", "-3", "--name", "Big Box").stderr
    assert {flag for flag in ("--memory", "--cpus", "--name") if flag not in text} == set()
    assert "qd run --help" in text


def test_machine_that_does_not_run_is_told_how_to_start(home):
    MachineStore().create(MachineSpec(boot="debian", name="idle"))
    for name in ("pause", "serial", "open", "screenshot"):
        done = call(name, "idle")
        assert (done.exit_code, "qd start idle" in done.stderr) == (2, True)
    assert call("stop", "idle").stdout == "idle\n"
    assert json.loads(call("ls", "--json").stdout)[0]["state"] == "created"
    assert call("inspect", "idle").stdout.splitlines()[0].split() == ["Name", "idle"]


def test_disks_are_not_deleted_without_a_yes(home):
    MachineStore().create(MachineSpec(boot="debian", name="idle"))
    refused = call("rm", "idle")
    assert refused.exit_code == 2
    assert "--yes" in refused.stderr
    assert MachineStore().names() == ["idle"]
    assert call("rm", "--yes", "idle", "idle").stdout == "idle\n"
    assert MachineStore().names() == []


def test_damaged_files_of_a_machine_are_shown_and_not_fallen_over(home):
    layout = MachineStore().create(MachineSpec(boot="debian", name="hurt"))
    layout.state.write_text("{")
    layout.spec.write_text("nonsense")
    assert json.loads(call("inspect", "hurt", "--json").stdout)["spec"] is None
    assert "unknown" in call("ls").stdout
    assert call("logs", "hurt").exit_code == 0


def test_file_that_the_host_refuses_is_an_error_of_the_host(home):
    (home / "machines").write_text("a file where a folder should be")
    done = call("run", "debian", "--name", "x")
    assert done.exit_code == 3
    assert done.stderr.startswith("error: ")


def test_an_error_is_an_object_where_json_is_asked_for():
    done = call("inspect", "nosuch", "--json")
    assert (done.exit_code, done.stdout) == (2, "")
    assert json.loads(done.stderr)["exit_code"] == 2


def test_an_error_is_the_last_object_where_progress_is_json(home):
    done = call("run", "debian", "--name", "BAD NAME", "--progress", "json")
    last = json.loads(done.stderr.splitlines()[-1])
    assert (done.exit_code, last["type"], last["exit_code"]) == (2, "error", 2)
    (home / "machines").write_text("a file where a folder should be")
    done = call("run", "debian", "--name", "x", "--progress", "json")
    assert json.loads(done.stderr.splitlines()[-1])["exit_code"] == 3


@pytest.mark.parametrize("word", ["--version", "-V"])
def test_version_is_printed_by_both_ways_in(word, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["qd", word])
    main.main()
    assert capsys.readouterr().out == call(word).stdout


def test_schema_is_json():
    assert "boot" in json.dumps(json.loads(call("schema").stdout))


def test_machine_that_is_being_prepared_is_not_removed_without_force():
    layout = MachineStore().create(MachineSpec(boot="debian", name="busy"))
    own = ProcessHandle.find(os.getpid())
    assert own is not None
    mine = statefile.ProcessId.of(own)
    statefile.write(layout.state, statefile.StoredState(state=State.PREPARING, boot_id=clock.boot_id(), supervisor=mine))
    done = call("rm", "--yes", "busy")
    assert done.exit_code == 2
    assert "add --force" in done.stderr
    assert MachineStore().names() == ["busy"]
