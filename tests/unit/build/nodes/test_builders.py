import json
from pathlib import Path
from typing import Any

import pytest

from quarterdeck.build.nodes.builders import apart, as_nodes, builders, buildx_folder, find_builder
from quarterdeck.build.nodes.endpoint import parse_endpoint
from quarterdeck.build.nodes.model import Kind
from quarterdeck.build.nodes.probe.builder import node_client
from quarterdeck.errors import HostError

TEAM: dict[str, Any] = {
    "Name": "team",
    "Driver": "docker-container",
    "Nodes": [
        {"Name": "team0", "Endpoint": "unix:///var/run/docker.sock", "Platforms": None, "DriverOpts": None, "Flags": None, "Files": None},
        {
            "Name": "team1",
            "Endpoint": "arm",
            "Platforms": [{"architecture": "arm64", "os": "linux"}, {"architecture": "arm", "os": "linux", "variant": "v7"}],
            "DriverOpts": {"image": "x"},
        },
    ],
    "Dynamic": False,
}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "instances").mkdir()
    return tmp_path


def write(folder: Path, name: str, content: object) -> None:
    (folder / "instances" / name).write_text(json.dumps(content))


def test_builders_are_seen_with_their_nodes(folder):
    write(folder, "team", TEAM)
    (team,) = builders(folder)
    assert (team.name, team.driver) == ("team", "docker-container")
    assert [node.name for node in team.nodes] == ["team0", "team1"]
    assert [str(platform) for platform in team.nodes[1].platforms] == ["linux/arm64", "linux/arm/v7"]
    assert team.nodes[1].options == {"image": "x"}


def test_a_builder_with_one_node_becomes_a_node_that_is_used_as_it_is(folder):
    write(folder, "team", {**TEAM, "Nodes": TEAM["Nodes"][:1]})
    (node,) = as_nodes(find_builder("team", folder))
    assert (node.name, node.kind, node.endpoint) == ("team", Kind.BUILDX, "buildx://team")


def test_each_node_of_a_builder_with_several_becomes_one(folder):
    write(folder, "team", TEAM)
    found = as_nodes(find_builder("team", folder))
    assert [(node.name, node.endpoint) for node in found] == [("team.team0", "buildx://team/team0"), ("team.team1", "buildx://team/team1")]


def test_buildx_is_shown_one_node_of_a_builder_and_all_that_stands_in_its_file(folder, monkeypatch):
    monkeypatch.setenv("BUILDX_CONFIG", str(folder))
    write(folder, "team", TEAM)
    with apart(parse_endpoint("buildx://team/team1")) as variables:
        shown = json.loads(Path(variables["BUILDX_CONFIG"], "instances/team").read_text())
        assert shown == {**TEAM, "Nodes": TEAM["Nodes"][1:]}
    assert not Path(variables["BUILDX_CONFIG"]).exists()
    with apart(parse_endpoint("buildx://team")) as variables:
        assert variables == {}


def test_a_node_that_a_builder_does_not_have_is_an_error_in_words(folder):
    write(folder, "team", TEAM)
    with pytest.raises(HostError) as caught:
        find_builder("team", folder).only("team7")
    assert "team0, team1" in caught.value.hint


def test_a_nodes_engine_is_an_address_or_a_context(folder):
    write(folder, "team", TEAM)
    first, second = (node_client(node) for node in find_builder("team", folder).nodes)
    assert (first.host, first.context) == ("unix:///var/run/docker.sock", "")
    assert (second.host, second.context) == ("", "arm")


@pytest.mark.parametrize(
    "content",
    [None, [], {}, {"Name": "x"}, {**TEAM, "Name": "../x"}, {**TEAM, "Nodes": 3}, {**TEAM, "Nodes": [{"Platforms": [{}], "Name": "n"}]}],
)
def test_damaged_files_are_left_out(folder, content):
    write(folder, "bad", content)
    write(folder, "team", TEAM)
    (folder / "instances/folder").mkdir()
    (folder / "instances/deep").write_text("[" * 100000)
    assert [builder.name for builder in builders(folder)] == ["team"]


def test_a_builder_that_is_not_there_is_an_error_in_words(folder):
    with pytest.raises(HostError) as caught:
        find_builder("x", folder)
    assert caught.value.key == "no-such-builder"
    assert builders(folder / "absent") == ()


def test_buildx_is_looked_for_where_it_looks(monkeypatch):
    monkeypatch.delenv("BUILDX_CONFIG", raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", "/d")
    assert buildx_folder() == Path("/d/buildx")
    monkeypatch.setenv("BUILDX_CONFIG", "/b")
    assert buildx_folder() == Path("/b")
