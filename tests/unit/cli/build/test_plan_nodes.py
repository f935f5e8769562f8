"""Which nodes ``qd plan`` chooses from; the nodes' answers are given."""

import pytest

from quarterdeck.build.nodes.model import Kind, Node, NodeFacts, Runs
from quarterdeck.build.nodes.probe.answer import Answer
from quarterdeck.build.nodes.store import NodeStore
from quarterdeck.build.platform import Platform
from quarterdeck.cli.build import asked
from quarterdeck.errors import UsageError

AMD = Platform.parse("linux/amd64")


@pytest.fixture
def answers(tmp_path, monkeypatch):
    """The nodes ``local`` and ``far``, and by name what is found out about them."""
    monkeypatch.setenv("QUARTERDECK_HOME", str(tmp_path))
    NodeStore().add(Node(name="far", kind=Kind.SSH, endpoint="ssh://far"))
    given: dict[str, NodeFacts] = {}

    async def probe_all(nodes, *, wanted):
        return tuple(given[node.name] for node in nodes)

    async def probe_local(*, timeout, wanted):
        return Answer({AMD: (Runs.NATIVE, "it runs")}, ())

    monkeypatch.setattr(asked, "probe_all", probe_all)
    monkeypatch.setattr(asked, "probe_local", probe_local)
    return given


def down(name, kind):
    return NodeFacts(name=name, kind=kind, healthy=False, problem="no engine")


async def test_nodes_in_use_are_asked_or_those_named(answers):
    answers |= {"local": NodeFacts(name="local"), "far": NodeFacts(name="far", kind=Kind.SSH)}
    assert [facts.name for facts in await asked.facts_of(())] == ["local", "far"]
    assert [facts.name for facts in await asked.facts_of(("far",))] == ["far"]
    with pytest.raises(UsageError):
        await asked.facts_of(("nosuch",))


async def test_host_without_an_engine_is_left_to_others(answers):
    answers |= {"local": down("local", Kind.LOCAL), "far": NodeFacts(name="far", kind=Kind.SSH)}
    assert [facts.healthy for facts in await asked.facts_of(())] == [False, True]


async def test_host_without_an_engine_is_planned_for_where_nothing_else_is_up_and_says_so(answers):
    answers |= {"local": down("local", Kind.LOCAL), "far": down("far", Kind.SSH)}
    local, far = await asked.facts_of(())
    assert (local.healthy, local.platforms, far.healthy) == (True, {AMD: Runs.NATIVE}, False)
    assert "no engine" in local.notes[0]
