"""Many builds at once, with engines that only pretend: what matters here is who builds what, when, and after which failure."""

import asyncio
import contextlib
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from quarterdeck.build.dockerfile.parser import parse
from quarterdeck.build.engines.engine import Endpoint
from quarterdeck.build.engines.find import Found
from quarterdeck.build.engines.request import ArchiveFormat, BuildResult
from quarterdeck.build.nodes.choice import Policy, assign
from quarterdeck.build.nodes.model import EngineName, Kind, Node, NodeFacts, Runs
from quarterdeck.build.planning.model import PlanOptions
from quarterdeck.build.planning.place import resolver
from quarterdeck.build.platform import Platform
from quarterdeck.build.run import crew as module
from quarterdeck.build.run.crew import BuildsFailedError, Crew, Site
from quarterdeck.build.run.events import Ended, Progressed, Started, Waiting
from quarterdeck.build.run.order import BuildOrder
from quarterdeck.build.run.way import Way
from quarterdeck.core.process import Completed, ProcessError
from quarterdeck.core.report import Level, Message
from quarterdeck.errors import HostError, TargetError

AMD64, ARM64, RISCV64 = (Platform.parse(text) for text in ("linux/amd64", "linux/arm64", "linux/riscv64"))


@dataclass
class World:
    """Nodes and what happens to builds on them; ``dead`` nodes answer nobody."""

    failing: dict[tuple[str, Platform], Exception] = field(default_factory=dict)
    hanging: set[Platform] = field(default_factory=set)
    dead: set[str] = field(default_factory=set)
    running: int = 0
    most: int = 0
    cancelled: list[Platform] = field(default_factory=list)
    entered: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    two_run: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True)
class FakeEngine:
    world: World
    node: str
    name: EngineName = EngineName.BUILDAH
    version: str = "1.0"
    capabilities: frozenset = frozenset()

    async def build(self, request, *, report, environment=None):
        self.world.running += 1
        self.world.most = max(self.world.most, self.world.running)
        if self.world.running == 2:
            self.world.two_run.set()
        try:
            await asyncio.sleep(0.01)
            for note in self.world.notes[:1]:
                report(Message(Level.WARNING, note))
            if request.platform in self.world.hanging:
                await asyncio.Event().wait()
            if (self.node, request.platform) in self.world.failing:
                raise self.world.failing[self.node, request.platform]
        except asyncio.CancelledError:
            self.world.cancelled.append(request.platform)
            raise
        finally:
            self.world.running -= 1
        return BuildResult(
            platform=request.platform, path=request.destination, format=ArchiveFormat.OCI, image_id="", digest="", steps=(), seconds=0.1,
            engine=self.name, version=self.version, notes=tuple(self.world.notes),
        )  # fmt: skip


@pytest.fixture
def world(monkeypatch):
    made = World()

    @contextlib.asynccontextmanager
    async def way_to(node, facts, *, preference, private):
        made.entered.append(node.name)
        yield Way(Endpoint(environment={"NODE": node.name}), frozenset(EngineName))

    async def find_engines(endpoint):
        return Found((FakeEngine(made, endpoint.environment["NODE"]),), {EngineName.DOCKER: "its daemon is away"})

    async def probe(node, *, deadline):
        return NodeFacts(name=node.name, healthy=node.name not in made.dead, problem="it does not answer")

    monkeypatch.setattr(module, "way_to", way_to)
    monkeypatch.setattr(module, "find_engines", find_engines)
    monkeypatch.setattr(module, "probe", probe)
    return made


def site(name, platforms, slots=4):
    kind = Kind.LOCAL if name == "local" else Kind.SSH
    return Site(Node(name=name, kind=kind, endpoint="local"), NodeFacts(name=name, kind=kind, platforms=platforms, slots=slots))


def crew(platforms, sites, *, events=None, **wishes):
    order = BuildOrder(context=".", dockerfile=parse("FROM scratch\n"), file=None, platforms=tuple(platforms), **wishes)
    assignment = assign(platforms, [one.facts for one in sites])
    resolve = resolver(order.dockerfile, PlanOptions())
    return Crew(order, sites, assignment, policy=Policy(), resolve=resolve, report=(events if events is not None else []).append)


LOCAL = site("local", {AMD64: Runs.NATIVE, ARM64: Runs.EMULATED, RISCV64: Runs.EMULATED})


async def test_every_platform_is_built_and_they_come_in_their_order(world):
    built = await crew([ARM64, AMD64], [LOCAL]).build(Path("/nowhere"))
    assert [(one.platform, one.node, one.runs) for one in built] == [(ARM64, "local", Runs.EMULATED), (AMD64, "local", Runs.NATIVE)]
    assert world.most == 2
    assert world.entered == ["local"]


async def test_no_more_builds_run_on_a_node_than_it_has_slots(world):
    events: list = []
    narrow = site("local", LOCAL.facts.platforms, slots=1)
    await crew([ARM64, AMD64, RISCV64], [narrow], events=events).build(Path("/nowhere"))
    assert world.most == 1
    assert len([event for event in events if isinstance(event, Waiting)]) == 2


async def test_the_first_failure_ends_the_others(world):
    world.failing["local", ARM64] = TargetError("build-failed", "no")
    world.hanging.add(AMD64)
    with pytest.raises(TargetError, match="no"):
        await crew([ARM64, AMD64], [LOCAL]).build(Path("/nowhere"))
    assert world.cancelled == [AMD64]


async def test_all_failures_are_told_when_the_others_go_on(world):
    world.failing |= {("local", ARM64): TargetError("a", "first"), ("local", RISCV64): TargetError("b", "second")}
    events: list = []
    with pytest.raises(BuildsFailedError) as caught:
        await crew([ARM64, AMD64, RISCV64], [LOCAL], keep_going=True, events=events).build(Path("/nowhere"))
    assert {"first", "second"} <= set(caught.value.reason.replace(":", " ").split())
    assert [event.platform for event in events if isinstance(event, Ended) and event.error is None] == [AMD64]


async def test_the_platforms_of_a_node_that_dies_are_built_elsewhere_and_nothing_else_again(world):
    native = site("arm", {ARM64: Runs.NATIVE})
    world.failing["arm", ARM64] = TargetError("build-failed", "connection lost")
    world.dead.add("arm")
    events: list = []
    built = await crew([ARM64, AMD64], [LOCAL, native], events=events).build(Path("/nowhere"))
    assert [(one.platform, one.node) for one in built] == [(ARM64, "local"), (AMD64, "local")]
    assert [(event.platform, event.node) for event in events if isinstance(event, Started)].count((AMD64, "local")) == 1
    assert ["node arm is lost" in event.text for event in events if isinstance(event, Message)] == [True]


async def test_a_build_that_fails_on_a_node_that_lives_is_not_tried_elsewhere(world):
    native = site("arm", {ARM64: Runs.NATIVE})
    world.failing["arm", ARM64] = TargetError("build-failed", "the Dockerfile is wrong")
    with pytest.raises(TargetError, match="the Dockerfile is wrong"):
        await crew([ARM64], [LOCAL, native]).build(Path("/nowhere"))


async def test_a_lost_node_that_nobody_can_stand_in_for_is_an_error(world):
    native = site("arm", {ARM64: Runs.NATIVE})
    world.failing["arm", ARM64] = TargetError("build-failed", "connection lost")
    world.dead.add("arm")
    with pytest.raises(TargetError) as caught:
        await crew([ARM64], [native]).build(Path("/nowhere"))
    assert caught.value.key == "no-node"


async def test_interrupting_ends_every_build(world):
    world.hanging |= {ARM64, AMD64}
    task = asyncio.create_task(crew([ARM64, AMD64], [LOCAL]).build(Path("/nowhere")))
    await world.two_run.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert sorted(map(str, world.cancelled)) == ["linux/amd64", "linux/arm64"]


async def test_what_a_build_notes_is_said_once(world):
    world.notes = ["said while it was built", "known at its end"]
    events: list = []
    await crew([AMD64], [LOCAL], events=events).build(Path("/nowhere"))
    said = [event.event.text for event in events if isinstance(event, Progressed) and isinstance(event.event, Message)]
    assert said == world.notes


async def test_an_engine_that_is_asked_for_and_not_there_is_not_replaced(world):
    with pytest.raises(HostError, match="docker cannot build on node local") as caught:
        await crew([AMD64], [LOCAL], engine=EngineName.DOCKER).build(Path("/nowhere"))
    assert caught.value.reason == "its daemon is away; there is buildah 1.0"
    assert (await crew([AMD64], [LOCAL], engine=EngineName.BUILDAH).build(Path("/nowhere")))[0].node == "local"


async def test_an_engine_without_room_to_export_is_explained(world):
    full = ProcessError(Completed(("buildah", "push"), 125, b"", b"write /tmp/1: no space left on device"))
    world.failing["local", AMD64] = full
    with pytest.raises(HostError, match="no room for the build for linux/amd64"):
        await crew([AMD64], [LOCAL]).build(Path("/nowhere"))
