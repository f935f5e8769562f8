"""``qd plan``: what it reads, prints and ends with; nodes are given, so that nothing is asked."""

import json

import pytest
import typer
from typer.testing import CliRunner

from quarterdeck.build.nodes.model import NodeFacts, Runs
from quarterdeck.build.planning.history import Sample, record
from quarterdeck.build.platform import Platform
from quarterdeck.cli.build import plan as command
from quarterdeck.cli.commands import Entry
from quarterdeck.cli.group import QuarterdeckGroup

AMD, ARM = map(Platform.parse, ("linux/amd64", "linux/arm64"))
LOCAL = NodeFacts(name="local", platforms={AMD: Runs.NATIVE, ARM: Runs.EMULATED})
PLAIN = "FROM debian AS build\nRUN gcc x.c\nCOPY a b\nENV A=1\n"
GO = "FROM golang:1 AS build\nWORKDIR /src\nCOPY . .\nRUN CGO_ENABLED=0 go build -o /app .\nFROM scratch\nCOPY --from=build /app /app\n"


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """An empty working folder, a home of its own, and one node; what is asked for is kept."""
    monkeypatch.setenv("QUARTERDECK_HOME", str(tmp_path / "home"))
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)

    async def given(names, **options):
        return (LOCAL,)

    monkeypatch.setattr(command, "facts_of", given)
    monkeypatch.setattr(command, "foresee", lambda plan, facts: facts)
    return folder


def call(*words, stdin=None):
    app = typer.Typer(
        name="qd", cls=QuarterdeckGroup, pretty_exceptions_enable=False, context_settings={"help_option_names": ["-h", "--help"]}
    )
    app.callback()(lambda: None)
    Entry("", "build.plan", "plan").add_to(app, "plan", "")
    return CliRunner().invoke(app, ["plan", *words], input=stdin, env={"COLUMNS": "120", "TERM": "dumb"})


def test_table_says_for_each_platform_and_step_how_it_runs_and_why(place):
    (place / "Dockerfile").write_text(PLAIN)
    done = call("--platform", "linux/amd64,linux/arm64")
    assert done.exit_code == 0
    rows = [line.split() for line in done.stdout.splitlines()]
    assert ["build", "2", "native", "-", "RUN", "gcc", "x.c"] in rows
    assert ["build", "2", "emulated", "-", "RUN", "gcc", "x.c"] in rows
    assert ["build", "3-4", "free", "-", "COPY,", "ENV"] in rows
    for word in ("linux/amd64 on local: native", "linux/arm64 on local: emulated", "crossbuild-essential-arm64", "qd nodes add"):
        assert word in done.stdout
    assert "warning: linux/arm64: 1 step is emulated on local" in done.stderr


def test_measured_seconds_of_earlier_builds_are_shown(place):
    (place / "Dockerfile").write_text(PLAIN)
    document = json.loads(call("--platform", "amd64,arm64", "--json").stdout)
    native, emulated = (one["stages"][0]["steps"][0]["key"] for one in document["platforms"])
    record([Sample(native, Runs.NATIVE, 8.0, 0)])
    assert "8.0 s" in call("--platform", "amd64").stdout
    assert "~72 s" in call("--platform", "arm64").stdout
    record([Sample(emulated, Runs.EMULATED, 71.0, 0)])
    assert "linux/arm64 on local: emulated, 71 s" in call("--platform", "arm64").stdout


def test_emulation_never_ends_with_1_and_says_where_and_what_to_do(place):
    (place / "Dockerfile").write_text(PLAIN)
    done = call("--platform", "arm64", "--emulation", "never")
    assert done.exit_code == 1
    for word in ("problem", "Dockerfile:2:", "'build'", "linux/arm64", "--emulation warn"):
        assert word in done.stdout


def test_platform_that_cannot_run_ends_with_1(place):
    (place / "Dockerfile").write_text(PLAIN)
    done = call("--platform", "s390x")
    assert (done.exit_code, "qd binfmt install s390x" in done.stdout) == (1, True)


def test_many_steps_are_put_together_unless_each_is_wanted(place):
    (place / "Dockerfile").write_text("FROM debian\n" + "RUN make\n" * 40)
    assert "40 RUN" in call().stdout
    assert call("--steps").stdout.count("RUN make") == 40


def test_json_has_plan_advice_and_nodes(place):
    (place / "Dockerfile").write_text(GO)
    done = call("--platform", "arm64", "--json")
    document = json.loads(done.stdout)
    assert (document["possible"], document["nodes"][0]["name"]) == (True, "local")
    assert document["advice"][0]["rule"]


def test_sarif_has_the_rules_of_the_plan_and_of_the_advice(place):
    (place / "Dockerfile").write_text(GO)
    run = json.loads(call("--platform", "arm64", "--sarif").stdout)["runs"][0]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert len(rules) == len(set(rules))
    assert {"emulated-step", "emulation-forbidden"} < set(rules)
    assert {result["level"] for result in run["results"]} == {"warning", "note"}
    assert all(rules[result["ruleIndex"]] == result["ruleId"] for result in run["results"])


def test_patch_prints_a_diff_and_changes_nothing(place):
    file = place / "Dockerfile"
    file.write_text(GO)
    done = call("--platform", "amd64,arm64", "--patch")
    assert (done.exit_code, file.read_text()) == (0, GO)
    assert done.stdout.startswith("--- a/Dockerfile\n+++ b/Dockerfile\n@@")
    assert "+FROM --platform=$BUILDPLATFORM golang:1 AS build\n" in done.stdout


def test_write_makes_the_change_keeps_the_mode_and_has_nothing_to_do_afterwards(place):
    file = place / "real"
    file.write_bytes(GO.replace("\n", "\r\n").encode())
    file.chmod(0o640)
    (place / "Dockerfile").symlink_to("real")
    assert call("--platform", "amd64,arm64", "--write").exit_code == 0
    content = file.read_bytes()
    assert b"FROM --platform=$BUILDPLATFORM golang:1 AS build\r\n" in content
    assert (content.count(b"\n"), file.stat().st_mode & 0o777, (place / "Dockerfile").is_symlink()) == (content.count(b"\r\n"), 0o640, True)
    assert "nothing to change" in call("--platform", "amd64,arm64", "--write").stderr
    assert file.read_bytes() == content


def test_standard_input_is_read_and_cannot_be_written():
    for words in (["-"], ["-f", "-"], [".", "--file", "-"]):
        assert "RUN gcc x.c" in call(*words, stdin=PLAIN).stdout
    done = call("-", "--write", stdin=PLAIN)
    assert (done.exit_code, "--patch" in done.stderr) == (2, True)


@pytest.mark.parametrize("name", ["Containerfile", "dockerfile"])
def test_other_names_are_taken_where_no_dockerfile_is(place, name):
    (place / "sub").mkdir()
    (place / "sub" / name).write_text(PLAIN)
    document = json.loads(call("sub", "--json").stdout)
    assert document["file"] == f"sub/{name}"


def test_file_is_looked_for_here_and_then_in_the_context(place):
    (place / "sub").mkdir()
    (place / "sub" / "My.Dockerfile").write_text(PLAIN)
    assert json.loads(call("sub", "-f", "My.Dockerfile", "--json").stdout)["file"] == "sub/My.Dockerfile"
    (place / "My.Dockerfile").write_text(PLAIN)
    assert json.loads(call("sub", "-f", "My.Dockerfile", "--json").stdout)["file"] == "My.Dockerfile"


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ([], "neither a Dockerfile nor a Containerfile"),
        (["-f", "nosuch"], "there is no file nosuch"),
        (["nosuch"], "there is no folder nosuch"),
        (["-f", "."], "is a folder"),
        (["https://example.org/repo.git"], "fetched"),
        (["git@example.org:repo"], "fetched"),
        (["-f", "https://example.org/Dockerfile"], "fetched"),
        (["--json", "--sarif"], "exclude each other"),
        (["--platform", "linux/a/b/c"], "no platform"),
        (["--build-arg", "=x"], "NAME=VALUE"),
        (["--build-context", "x"], "NAME=VALUE"),
    ],
)
def test_what_makes_no_sense_ends_with_2(words, text, place):
    if words and words[0].startswith("--"):
        (place / "Dockerfile").write_text(PLAIN)
    done = call(*words)
    assert (done.exit_code, done.stdout) == (2, "")
    assert text in done.stderr.replace("\n", " ")


def test_context_that_is_a_file_is_told_how_to_be_written(place):
    (place / "Dockerfile").write_text(PLAIN)
    assert "-f Dockerfile ." in call("Dockerfile").stderr


def test_wrong_dockerfile_ends_with_2_and_names_the_line(place):
    (place / "Dockerfile").write_text("FROM debian\nRUNN x\n")
    done = call()
    assert (done.exit_code, "Dockerfile:2:" in done.stderr) == (2, True)
    assert json.loads(call("--json").stderr)["key"]


def test_unknown_stage_ends_with_2(place):
    (place / "Dockerfile").write_text(PLAIN)
    done = call("--target", "biuld")
    assert (done.exit_code, "did you mean 'build'?" in done.stderr) == (2, True)


def test_build_arguments_come_from_the_command_line_and_the_environment(place, monkeypatch):
    (place / "Dockerfile").write_text("ARG A B C=c\nFROM a-$A-$B-$C\nRUN x\n")
    monkeypatch.setenv("B", "env")
    monkeypatch.delenv("C", raising=False)
    stages = json.loads(call("--build-arg", "A=x=y", "--build-arg", "B", "--build-arg", "C", "--json").stdout)["platforms"][0]["stages"]
    assert stages[0]["base"] == "a-x=y-env-c"


def test_build_context_takes_the_place_of_an_image(place):
    (place / "Dockerfile").write_text(PLAIN)
    stages = json.loads(call("--build-context", "debian=./d", "--json").stdout)["platforms"][0]["stages"]
    assert stages[0]["base"] == "context debian"


def test_slips_are_warned_of(place):
    (place / "Dockerfile").write_text("FROM debian AS build\nFROM scratch\nCOPY --from=biuld / /\n")
    assert "warning: line 3: 'biuld' is no stage" in call().stderr


def test_what_a_file_says_does_not_steer_the_terminal(place):
    (place / "Dockerfile").write_text(
        "FROM debian AS build\nRUN echo \x1b]0;title\x07 \x9b31m \u202e x\nFROM scratch\nCOPY --from=bu\x1b[1mild / /\n"
    )
    done = call("--platform", "arm64", "--target", "1")
    assert not set("\x1b\x07\x9b\u202e") & set(done.stdout + done.stderr)
    assert not set("\x1b\x07\x9b\u202e") & set(call("--target", "build").stdout)


def test_help_says_what_it_does():
    done = call("-h")
    assert done.exit_code == 0
    for word in ("--platform", "--emulation", "--sarif", "--patch", "CONTEXT", "Builds nothing"):
        assert word in done.stdout
