"""Many builds at once, with engines that only pretend: what matters here is who builds what, when, and after which failure."""

import asyncio
import contextlib
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from quarterdeck.build.dockerfile.parser import parse
from quarterdeck.build.engines.engine import Endpoint
from quarterdeck.build.engines.failure import ENGINE_LOST, BuildFailedError, Cause, Evidence
from quarterdeck.build.engines.find import Found
from quarterdeck.build.engines.request import ArchiveFormat, BuildResult
from quarterdeck.build.nodes.choice import Policy, assign
from quarterdeck.build.nodes.model import EngineFacts, EngineName, Kind, Node, NodeFacts, Runs
from quarterdeck.build.planning.model import PlanOptions
from quarterdeck.build.planning.place import resolver
from quarterdeck.build.platform import Platform
from quarterdeck.build.run import crew as module
from quarterdeck.build.run import loss
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
    """Nodes and what happens to builds on them; ``dead`` nodes answer nobody, and what fails ``once`` does not fail again."""

    failing: dict[tuple[str, Platform], Exception] = field(default_factory=dict)
    once: dict[tuple[str, Platform], Exception] = field(default_factory=dict)
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
            if (self.node, request.platform) in self.world.once:
                raise self.world.once.pop((self.node, request.platform))
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

    async def find_engines(endpoint, names=()):
        return Found((FakeEngine(made, endpoint.environment["NODE"]),), {EngineName.DOCKER: "its daemon is away"})

    async def probe(node, *, deadline, wanted):
        up = node.name not in made.dead
        engines = (EngineFacts(EngineName.BUILDAH, "1.0"),) if up else ()
        return NodeFacts(name=node.name, healthy=up, problem="" if up else "it does not answer", engines=engines)

    monkeypatch.setattr(module, "way_to", way_to)
    monkeypatch.setattr(module, "find_engines", find_engines)
    monkeypatch.setattr(loss, "probe", probe)
    monkeypatch.setattr(loss, "_SECONDS", 0.0)
    return made


def site(name, platforms, slots=4):
    kind = Kind.LOCAL if name == "local" else Kind.SSH
    return Site(Node(name=name, kind=kind, endpoint="local"), NodeFacts(name=name, kind=kind, platforms=platforms, slots=slots))


def crew(platforms, sites, *, events=None, rescue=None, then=None, **wishes):
    order = BuildOrder(context=".", dockerfile=parse("FROM scratch\n"), file=None, platforms=tuple(platforms), **wishes)
    assignment = assign(platforms, [one.facts for one in sites])
    resolve = resolver(order.dockerfile, PlanOptions())
    report = (events if events is not None else []).append
    return Crew(order, sites, assignment, policy=Policy(), resolve=resolve, report=report, rescue=rescue, then=then)


LOCAL = site("local", {AMD64: Runs.NATIVE, ARM64: Runs.EMULATED, RISCV64: Runs.EMULATED})


async def test_every_platform_is_built_and_they_come_in_their_order(world):
    built = await crew([ARM64, AMD64], [LOCAL]).build(Path("/nowhere"))
    assert [(one.platform, one.node, one.runs) for one in built] == [(ARM64, "local", Runs.EMULATED), (AMD64, "local", Runs.NATIVE)]
    assert world.most == 2
    assert world.entered == ["local"]


async def test_what_follows_a_build_is_done_while_others_still_run(world):
    done: asyncio.Queue[Platform] = asyncio.Queue()

    async def then(built):
        await done.put(built.platform)

    world.hanging = {ARM64}
    building = asyncio.create_task(crew([ARM64, AMD64], [LOCAL], then=then).build(Path("/nowhere")))
    assert await done.get() == AMD64
    assert not building.done()
    building.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await building


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


def engine_went(platform, engine=EngineName.BUILDAH):
    evidence = Evidence(engine=engine, version="1.0", platform=platform, emulated=False, step=None, error="unexpected EOF", lines=())
    return BuildFailedError(evidence, (), Cause(ENGINE_LOST, "the engine went away", ""))


def started(events):
    return [(event.platform, event.node) for event in events if isinstance(event, Started)]


def said(events):
    return [event.text for event in events if isinstance(event, Message)]


@pytest.mark.parametrize("name", ["arm", "local"])
async def test_an_engine_that_went_away_gets_a_second_chance_by_a_new_way_when_its_node_answers(world, name):
    node = LOCAL if name == "local" else site("arm", {ARM64: Runs.NATIVE})
    world.once[name, ARM64] = engine_went(ARM64)
    events: list = []
    built = await crew([ARM64], [node], events=events).build(Path("/nowhere"))
    assert [(one.platform, one.node) for one in built] == [(ARM64, name)]
    assert started(events) == [(ARM64, name)] * 2
    assert world.entered == [name] * 2
    assert said(events) == [f"the engine of node {name} went away, and the node answers: linux/arm64 is tried once more there"]


async def test_an_image_that_cannot_be_fetched_from_its_engine_is_built_again_too(world):
    world.once["local", AMD64] = ProcessError(Completed(("docker", "save"), 1, b"", b"Cannot connect to the Docker daemon at unix:///s"))
    events: list = []
    await crew([AMD64], [LOCAL], events=events).build(Path("/nowhere"))
    assert started(events) == [(AMD64, "local")] * 2


async def test_an_engine_that_goes_away_twice_loses_its_platforms(world):
    world.failing["arm", ARM64] = engine_went(ARM64)
    events: list = []
    built = await crew([ARM64], [LOCAL, site("arm", {ARM64: Runs.NATIVE})], events=events).build(Path("/nowhere"))
    assert [one.node for one in built] == ["local"]
    assert started(events) == [(ARM64, "arm"), (ARM64, "arm"), (ARM64, "local")]
    assert said(events)[-1] == "node arm is lost (its engine went away twice): linux/arm64 goes to local (emulated)"


async def test_a_node_without_the_engine_that_must_build_is_lost_at_once(world):
    world.failing["arm", ARM64] = engine_went(ARM64, EngineName.PODMAN)
    finding = await loss.examine(
        Node(name="arm", kind=Kind.SSH, endpoint="ssh://arm"), world.failing["arm", ARM64],
        platforms=[ARM64], engine=EngineName.PODMAN, tried_again=False,
    )  # fmt: skip
    assert (finding.verdict, finding.problem) == (loss.Verdict.LOST, "podman went away and does not come back")


async def test_this_host_too_loses_its_platforms_when_its_engine_stays_away(world):
    world.failing["local", AMD64] = engine_went(AMD64)
    world.dead.add("local")
    other = site("other", {AMD64: Runs.EMULATED})
    assert [one.node for one in await crew([AMD64], [LOCAL, other]).build(Path("/nowhere"))] == ["other"]


async def test_what_no_other_node_runs_is_emulated_where_that_can_be_had(world):
    asked = []

    async def rescue(sites, platforms, say):
        asked.append(([one.node.name for one in sites], list(platforms)))
        say("emulating arm64 for this build alone")
        return [LOCAL]

    world.failing["arm", ARM64] = TargetError("build-failed", "connection lost")
    world.dead.add("arm")
    events: list = []
    sites = [site("local", {AMD64: Runs.NATIVE}), site("arm", {ARM64: Runs.NATIVE})]
    built = await crew([ARM64, AMD64], sites, events=events, rescue=rescue).build(Path("/nowhere"))
    assert [(one.platform, one.node, one.runs) for one in built] == [(ARM64, "local", Runs.EMULATED), (AMD64, "local", Runs.NATIVE)]
    assert asked == [(["local"], [ARM64])]
    lost = "node arm is lost (it does not answer): linux/arm64 goes to local (emulated)"
    assert said(events) == ["emulating arm64 for this build alone", lost]


async def test_why_a_lost_platform_cannot_be_emulated_is_the_error_and_the_loss_is_told(world):
    async def rescue(sites, platforms, say):
        raise HostError("no-emulator", "there is no emulator here", hint="apt install qemu-user-static")

    world.failing["arm", ARM64] = TargetError("build-failed", "connection lost")
    world.dead.add("arm")
    events: list = []
    sites = [site("local", {AMD64: Runs.NATIVE}), site("arm", {ARM64: Runs.NATIVE})]
    with pytest.raises(HostError, match="there is no emulator here"):
        await crew([ARM64], sites, events=events, rescue=rescue).build(Path("/nowhere"))
    assert said(events) == ["node arm is lost (it does not answer): linux/arm64 cannot be built: no node runs it"]


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
