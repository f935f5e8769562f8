import json
import os
import stat
import threading
from pathlib import Path

import pytest

from quarterdeck.build.nodes.model import EngineName, Kind, Node, Tls
from quarterdeck.build.nodes.store import LOCAL, NodeStore
from quarterdeck.build.platform import Platform
from quarterdeck.errors import HostError, UsageError


def node(name: str, endpoint: str = "", **more) -> Node:
    return Node(name=name, kind=Kind.SSH, endpoint=endpoint or f"ssh://{name}.example.org", **more)


@pytest.fixture
def store(tmp_path):
    return NodeStore(tmp_path / "builds/nodes.json")


def test_without_a_file_this_host_is_the_only_node(store):
    assert store.load().nodes == (LOCAL,)
    assert store.load().active == (LOCAL,)
    assert not store.path.exists()


def test_a_node_comes_back_as_it_was(store):
    full = Node(
        name="far",
        kind=Kind.BUILDKIT,
        endpoint="tcp://10.0.0.1:1234",
        platforms=(Platform.parse("linux/arm64"), Platform.parse("linux/arm/v6")),
        slots=3,
        weight=2.5,
        engine=EngineName.BUILDKIT,
        tls=Tls(Path("/ca.pem"), Path("/cert.pem"), Path("/key.pem"), "buildkitd"),
        identity=Path("/id"),
        options={"image": "moby/buildkit:rootless"},
    )
    store.add(full)
    assert NodeStore(store.path).load().nodes == (LOCAL, full)


def test_the_file_is_for_its_owner_alone_and_holds_no_secret(store, tmp_path):
    key = tmp_path / "key.pem"
    key.write_text("SECRET")
    store.add(Node(name="far", kind=Kind.BUILDKIT, endpoint="tcp://10.0.0.1:1", tls=Tls(key=key, certificate=key)))
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600
    assert "SECRET" not in store.path.read_text()


def test_names_and_endpoints_are_taken_once(store):
    store.add(node("a"))
    with pytest.raises(UsageError, match="there is a node 'a'"):
        store.add(node("a", "ssh://other"))
    with pytest.raises(UsageError, match="has this endpoint"):
        store.add(node("b", "ssh://a.example.org"))
    with pytest.raises(UsageError, match="'local'"):
        store.add(node("local"))


def test_one_endpoint_may_have_a_node_for_each_engine(store):
    store.add(node("a", "ssh://host", engine=EngineName.BUILDAH))
    assert store.add(node("b", "ssh://host", engine=EngineName.DOCKER)).find("b")


def test_all_nodes_are_used_until_some_are_chosen(store):
    store.add(node("a"))
    store.add(node("b"))
    assert [one.name for one in store.load().active] == ["local", "a", "b"]
    assert [one.name for one in store.use(["b", "b"]).active] == ["b"]
    assert [one.name for one in store.add(node("c")).active] == ["b", "c"]
    assert [one.name for one in store.use([]).active] == ["local", "a", "b", "c"]


def test_a_node_may_be_the_only_one_used_from_the_start(store):
    assert [one.name for one in store.add(node("a"), use=True).active] == ["a"]


def test_a_removed_node_is_no_longer_used(store):
    store.add(node("a"), use=True)
    store.remove("a")
    assert store.load().active == (LOCAL,)


def test_what_is_not_there_is_named(store):
    for call in (lambda: store.use(["x"]), lambda: store.remove("x")):
        with pytest.raises(UsageError) as caught:
            call()
        assert caught.value.key == "no-such-node"
    with pytest.raises(UsageError) as caught:
        store.remove("local")
    assert caught.value.key == "node-is-this-host"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00\xff",
        b"[]",
        b"null",
        b'{"version": "1"}',
        b'{"version": 0}',
        b'{"version": 1, "nodes": 3}',
        b'{"version": 1, "nodes": [{"name": "a"}]}',
        b'{"version": 1, "nodes": [{"name": "../x", "endpoint": "ssh://h"}]}',
        b'{"version": 1, "nodes": [{"name": "a", "endpoint": "ssh://-oProxyCommand=x"}]}',
        b'{"version": 1, "nodes": [{"name": "a", "endpoint": "ssh://h", "weight": NaN}]}',
        b'{"version": 1, "nodes": [{"name": "a", "endpoint": "ssh://h", "weight": -1}]}',
        b'{"version": 1, "nodes": [{"name": "a", "endpoint": "ssh://h", "slots": 0}]}',
        b'{"version": 1, "nodes": [{"name": "a", "endpoint": "ssh://h", "engine": "make"}]}',
        b'{"version": 1, "nodes": [{"name": "a", "endpoint": "ssh://h", "platforms": ["x/y/z/w"]}]}',
        b'{"version": 1, "nodes": [{"name": "a", "endpoint": "ssh://h", "other": 1}]}',
        b'{"version": 1, "nodes": [{"name": "a", "endpoint": "ssh://h"}, {"name": "a", "endpoint": "ssh://i"}]}',
        b'{"version": 1, "default": ["nobody"]}',
        b"[" * 100000,
    ],
)
def test_a_damaged_file_is_answered_in_words_and_left_alone(store, content):
    store.path.parent.mkdir()
    store.path.write_bytes(content)
    for call in (store.load, lambda: store.add(node("new"))):
        with pytest.raises(HostError) as caught:
            call()
        assert caught.value.key == "nodes-unreadable"
        assert caught.value.reason
        assert str(store.path) in caught.value.message
    assert store.path.read_bytes() == content


def test_a_file_of_a_later_version_says_so(store):
    store.path.parent.mkdir()
    store.path.write_text(json.dumps({"version": 7, "nodes": [{"new": "things"}]}))
    with pytest.raises(HostError) as caught:
        store.load()
    assert "later version" in caught.value.reason


def test_a_folder_in_the_files_place_is_answered_in_words(store):
    os.makedirs(store.path)
    with pytest.raises(HostError):
        store.load()


def test_writers_at_the_same_time_lose_nothing(store):
    threads = [threading.Thread(target=store.add, args=(node(f"n{number}"),)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {one.name for one in store.load().nodes} == {"local", *(f"n{number}" for number in range(12))}
