import json
from collections.abc import Sequence

import pytest
import typer
from typer.testing import CliRunner

from quarterdeck.build.nodes.model import EngineFacts, EngineName, Node, NodeFacts, Runs
from quarterdeck.build.nodes.store import NodeStore
from quarterdeck.build.platform import Platform
from quarterdeck.cli.commands import Entry, Family
from quarterdeck.cli.group import QuarterdeckGroup
from quarterdeck.cli.nodes import add, change, known
from quarterdeck.errors import TargetError

FAMILY = Family(
    "",
    "Where images are built.",
    {
        "add": Entry("", "nodes.add", "add"),
        "ls": Entry("", "nodes.listing", "ls"),
        "inspect": Entry("", "nodes.listing", "inspect"),
        "bootstrap": Entry("", "nodes.change", "bootstrap"),
        "use": Entry("", "nodes.change", "use"),
        "rm": Entry("", "nodes.change", "rm"),
    },
)
BUILDER = {"Name": "team", "Driver": "remote", "Nodes": [{"Name": "team0", "Endpoint": "unix:///x"}]}


def facts(node: Node) -> NodeFacts:
    if "dead" in node.endpoint:
        return NodeFacts(name=node.name, kind=node.kind, healthy=False, problem="nobody answers", hint="start it")
    platform = Platform.parse("linux/arm64")
    engines = (EngineFacts(EngineName.BUILDAH, "1.39"),)
    return NodeFacts(
        name=node.name,
        kind=node.kind,
        platforms={platform: Runs.NATIVE},
        reasons={platform: "a program ran"},
        slots=3,
        memory=1 << 30,
        engines=engines,
    )


class Qd:
    """``qd nodes`` with nodes that answer as their endpoints say."""

    def __call__(self, *words: str):
        app = typer.Typer(cls=QuarterdeckGroup)
        app.callback()(lambda: None)
        FAMILY.add_to(app, "nodes", words[0])
        return CliRunner().invoke(app, ["nodes", *words], catch_exceptions=False)

    def json(self, *words: str):
        return json.loads(self(*words, "--json").stdout)


@pytest.fixture
def qd(monkeypatch, tmp_path):
    monkeypatch.setenv("QUARTERDECK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("BUILDX_CONFIG", str(tmp_path / "buildx"))

    async def probe_all(nodes: Sequence[Node], *, deadline: float):
        return tuple(facts(node) for node in nodes)

    async def bootstrap(node: Node, **options):
        return facts(node)

    monkeypatch.setattr(known, "probe_all", probe_all)
    monkeypatch.setattr(add, "bootstrap", bootstrap)
    monkeypatch.setattr(change, "make_ready", bootstrap)
    return Qd()


def test_this_host_is_listed_without_any_setup(qd):
    (local,) = qd.json("ls")
    assert (local["name"], local["kind"], local["endpoint"], local["used"]) == ("local", "local", "local", True)


def test_a_node_is_added_shown_and_forgotten(qd):
    done = qd("add", "arm", "ssh://me@host", "--platform", "linux/arm64", "--slots", "2")
    assert done.exit_code == 0
    assert "arm*" in done.stdout
    assert [node["name"] for node in qd.json("ls")] == ["local", "arm"]
    assert qd("rm", "arm").stdout == "arm\n"
    assert [node["name"] for node in qd.json("ls")] == ["local"]


def test_a_list_has_a_line_for_each_node_and_says_why_some_are_down(qd):
    qd("add", "arm", "ssh://host")
    qd("add", "far", "ssh://dead", "--no-check")
    lines = qd("ls").stdout.splitlines()
    assert lines[0].split() == ["NAME", "KIND", "ENDPOINT", "STATE", "NATIVE", "EMULATED", "SLOTS"]
    assert lines[2].split() == ["arm*", "ssh", "ssh://host", "ready", "linux/arm64", "-", "3"]
    assert lines[3].split() == ["far*", "ssh", "ssh://dead", "down", "-", "-", "-"]
    assert lines[-1].split(maxsplit=1) == ["far", "nobody answers; start it"]


def test_inspection_tells_how_each_thing_is_known_and_fails_for_one_that_is_down(qd):
    qd("add", "far", "ssh://dead", "--no-check")
    good, bad = qd("inspect", "local"), qd("inspect", "far", "local")
    assert "linux/arm64: a program ran" in good.stdout
    assert "buildah 1.39" in good.stdout
    assert (good.exit_code, bad.exit_code) == (0, 1)
    assert "nobody answers" in bad.stdout


def test_builders_of_buildx_are_seen_and_used_by_their_names(qd, tmp_path):
    (tmp_path / "buildx/instances").mkdir(parents=True)
    (tmp_path / "buildx/instances/team").write_text(json.dumps(BUILDER))
    assert [(node["name"], node["used"]) for node in qd.json("ls")] == [("local", True), ("team", False)]
    assert qd("use", "team").stdout == "team\n"
    assert [(node["name"], node["used"]) for node in qd.json("ls")] == [("local", False), ("team", True)]
    assert qd("use", "--all").stdout == "local\nteam\n"


def test_a_choice_that_is_refused_changes_nothing(qd, tmp_path):
    (tmp_path / "buildx/instances").mkdir(parents=True)
    (tmp_path / "buildx/instances/team").write_text(json.dumps(BUILDER))
    assert qd("use", "team", "nobody").exit_code == 2
    assert NodeStore().load().nodes[1:] == ()


@pytest.mark.parametrize(
    "words",
    [
        ("add", "a", "http://x"),
        ("add", "a/b", "ssh://x"),
        ("add", "local", "ssh://x"),
        ("add", "a", "ssh://x", "--tls-ca", "/etc/hostname"),
        ("add", "a", "ssh://x", "-o", "image=x"),
        ("add", "a", "docker-container://x", "-o", "image"),
        ("add", "a", "tcp://x:1", "--tls-cert", "/etc/hostname"),
        ("add", "a", "tcp://x:1", "-i", "/etc/hostname"),
        ("add", "a", "ssh://x", "--engine", "make"),
        ("add", "a", "ssh://x", "--slots", "0"),
        ("add", "a", "ssh://x", "--no-check", "--accept-host-key"),
        ("use",),
        ("use", "a", "--all"),
        ("use", "a"),
        ("inspect", "a"),
        ("bootstrap", "a"),
        ("rm", "a"),
        ("rm", "local"),
    ],
)
def test_wrong_use_ends_with_2_and_changes_nothing(qd, words):
    assert qd(*words).exit_code == 2
    assert NodeStore().load().nodes[1:] == ()


def test_a_node_that_cannot_be_made_ready_is_not_added_and_the_way_to_add_it_is_named(qd, monkeypatch):
    async def bootstrap(node: Node, **options):
        raise TargetError("ssh-failed", "a cannot be reached", hint="is it up?")

    monkeypatch.setattr(add, "bootstrap", bootstrap)
    app = typer.Typer(cls=QuarterdeckGroup)
    app.callback()(lambda: None)
    FAMILY.add_to(app, "nodes", "add")
    done = CliRunner().invoke(app, ["nodes", "add", "a", "ssh://host"])
    assert done.exit_code != 0
    assert "a is not added; with --no-check" in done.stderr
    assert NodeStore().load().nodes[1:] == ()


def test_the_name_of_this_host_is_not_said_to_be_removable(qd):
    assert "choose another name" in qd("add", "local", "ssh://x").stderr
    qd("add", "a", "ssh://host")
    assert "qd nodes rm a" in qd("add", "a", "ssh://other").stderr


def test_a_node_that_is_there_already_is_not_even_looked_at(qd, monkeypatch):
    qd("add", "a", "ssh://host")
    monkeypatch.setattr(add, "bootstrap", None)
    assert qd("add", "a", "ssh://other").exit_code == 2


@pytest.mark.parametrize("command", FAMILY.members)
def test_each_command_has_help(qd, command):
    done = qd(command, "--help")
    assert done.exit_code == 0
