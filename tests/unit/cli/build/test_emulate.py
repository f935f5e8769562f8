"""What happens to platforms that nothing here runs: registered, emulated for one build, or refused with all ways out."""

import contextlib
import os
from dataclasses import replace
from types import SimpleNamespace

import pytest

from quarterdeck.binfmt.private.instance import Instance
from quarterdeck.build.dockerfile.parser import parse
from quarterdeck.build.nodes.choice import Emulation
from quarterdeck.build.nodes.model import EngineFacts, EngineName, Kind, Node, NodeFacts, Runs
from quarterdeck.build.planning.make import make_plan
from quarterdeck.build.planning.model import PlanOptions
from quarterdeck.build.platform import Platform
from quarterdeck.build.run.crew import Site
from quarterdeck.build.run.private import PrivateEmulators, with_emulated
from quarterdeck.cli.build import emulate as module
from quarterdeck.cli.build.emulate import emulate, foresee, missing_emulators
from quarterdeck.core.arch import find_arch
from quarterdeck.errors import HostError

AMD, RISCV = map(Platform.parse, ("linux/amd64", "linux/riscv64"))
LOCAL = NodeFacts(name="local", platforms={AMD: Runs.NATIVE}, engines=(EngineFacts(EngineName.BUILDAH, "1.28"),))
RUNS = "FROM a\nRUN b\n"
NO_IDS = HostError("no-subordinate-ids", "me has no subordinate ids", reason="they are not there", hint="usermod me")


class World:
    """A host that is pretended; what was done to it and said about it is kept."""

    def __init__(self):
        self.uid = 1000
        self.first_namespace = True
        self.registering = None
        self.opening = None
        self.proofs = [SimpleNamespace(ok=True, arch=find_arch("riscv64"))]
        self.registered = []
        self.opened = []
        self.said = []

    def set_up(self, request, *, keeper):
        assert keeper is None
        if self.registering:
            raise self.registering
        self.registered += request.selection.arches
        return None, self.proofs

    @contextlib.contextmanager
    def open_private(self, arches, facts, *, beside=(), order=None):
        if self.opening:
            raise self.opening
        self.opened += arches
        yield PrivateEmulators(Instance(1, True, ()), tuple(arches))
        self.opened.clear()

    async def again(self):
        return (site(with_emulated(LOCAL, self.registered, "asked again")),)

    async def emulate(self, facts=LOCAL, text=RUNS, *, stack=None, **options):
        with contextlib.ExitStack() as own:
            sites = (site(facts),)
            return await emulate(plan(facts, text), sites, self.again, stack=stack or own, say=self.said.append, **options)


@pytest.fixture
def world(monkeypatch):
    made = World()
    monkeypatch.setattr(os, "geteuid", lambda: made.uid)
    monkeypatch.setattr(module, "in_first_user_namespace", lambda: made.first_namespace)
    monkeypatch.setattr(module, "set_up", made.set_up)
    monkeypatch.setattr(module, "open_private", made.open_private)
    return made


def site(facts):
    return Site(Node(name=facts.name, kind=facts.kind, endpoint="local"), facts)


def plan(facts, text=RUNS, emulation=Emulation.WARN):
    return make_plan(parse(text), [AMD, RISCV], [facts], PlanOptions(emulation=emulation))


async def test_what_a_plan_does_not_run_is_not_missing(world):
    assert missing_emulators(plan(LOCAL)) == (find_arch("riscv64"),)
    assert missing_emulators(plan(LOCAL, "FROM scratch\nCOPY a b\n")) == ()
    sites = await world.emulate(text="FROM scratch\nCOPY a b\n")
    assert sites[0].private is None
    assert (world.opened, world.registered, world.said) == ([], [], [])


async def test_an_ordinary_user_gets_them_for_the_build_and_is_told_in_one_line(world):
    with contextlib.ExitStack() as stack:
        (local,) = await world.emulate(stack=stack)
        assert local.private is not None
        assert world.opened == [find_arch("riscv64")]
        assert local.facts.platforms == {AMD: Runs.NATIVE, RISCV: Runs.EMULATED}
        made = plan(local.facts)
        assert made.possible
        assert made.platforms[1].node == "local"
    assert world.opened == []
    assert len(world.said) == 1
    assert "riscv64 for this build alone" in world.said[0]
    assert world.registered == []


async def test_emulators_of_before_stay_beside_those_that_a_node_had_that_died(world):
    before = replace(site(LOCAL), private=PrivateEmulators(Instance(1, True, ()), (find_arch("s390x"),)))
    with contextlib.ExitStack() as stack:
        (local,) = await emulate(plan(LOCAL), (before,), world.again, stack=stack, say=world.said.append)
        assert local.private is not None
        assert [arch.name for arch in local.private.arches] == ["s390x", "riscv64"]


@pytest.mark.parametrize("uid", [0, 1000])
async def test_where_emulation_is_forbidden_that_is_the_problem_and_nothing_is_set_up(world, monkeypatch, uid):
    world.uid = uid
    monkeypatch.setattr(module, "preview", lambda request: (SimpleNamespace(refusals=()), None))
    never = plan(LOCAL, emulation=Emulation.NEVER)
    (local,) = await emulate(never, [site(LOCAL)], world.again, stack=contextlib.ExitStack(), say=world.said.append)
    assert local.private is None
    assert [one.rule for one in plan(local.facts, emulation=Emulation.NEVER).problems] == ["emulation-forbidden"]
    assert (world.opened, world.registered, world.said) == ([], [], [])


async def test_quiet_says_nothing_of_what_changes_nothing(world):
    await world.emulate(quiet=True)
    assert world.said == []


async def test_root_registers_and_says_so_even_when_quiet(world):
    world.uid = 0
    (local,) = await world.emulate(quiet=True)
    assert local.private is None
    assert local.facts.reasons[RISCV] == "asked again"
    assert world.registered == [find_arch("riscv64")]
    assert "until the next boot" in world.said[0]


async def test_the_host_s_root_who_may_not_register_is_told_why(world):
    world.uid, world.registering = 0, HostError("x", "the registry is closed", reason="by a lock", hint="open it")
    with pytest.raises(HostError) as caught:
        await world.emulate()
    assert "the registry is closed: by a lock" in caught.value.reason
    assert caught.value.hint.startswith("open it")
    assert world.opened == []


async def test_emulators_that_were_registered_and_do_not_work_are_an_error(world):
    world.uid, world.proofs = 0, [SimpleNamespace(ok=False, arch=find_arch("riscv64"))]
    with pytest.raises(HostError) as caught:
        await world.emulate()
    assert "qd binfmt prove riscv64" in caught.value.hint


async def test_root_of_a_user_namespace_gets_them_for_the_build_where_it_may_not_register(world):
    world.uid, world.first_namespace, world.registering = 0, False, HostError("x", "these are the host's")
    (local,) = await world.emulate()
    assert local.private is not None
    assert local.facts.platforms[RISCV] is Runs.EMULATED


async def test_when_neither_works_all_ways_out_are_named(world):
    world.opening = NO_IDS
    with pytest.raises(HostError) as caught:
        await world.emulate()
    error = caught.value
    assert error.key == "platform-cannot-run"
    assert "Dockerfile:2" in error.reason
    assert "me has no subordinate ids: they are not there" in error.reason
    for way in ("sudo qd binfmt install riscv64", "usermod me", "qd nodes add"):
        assert way in error.hint


async def test_an_emulator_that_is_not_installed_cannot_be_registered_either(world):
    world.opening = HostError("emulator-missing", "no emulator", hint="apt install qemu-user-static")
    with pytest.raises(HostError) as caught:
        await world.emulate()
    assert caught.value.hint.startswith("apt install qemu-user-static")
    assert "binfmt install" not in caught.value.hint


@pytest.mark.parametrize("uid", [0, 1000])
async def test_nothing_is_done_where_this_host_is_no_node(world, uid):
    world.uid = uid
    remote = NodeFacts(name="there", kind=Kind.SSH, platforms={AMD: Runs.NATIVE}, engines=LOCAL.engines)
    assert (await world.emulate(remote))[0].facts == remote
    assert (world.opened, world.registered, world.said) == ([], [], [])


async def test_root_registers_nothing_where_no_engine_could_use_it(world):
    world.uid = 0
    await world.emulate(NodeFacts(name="local", platforms={AMD: Runs.NATIVE}))
    assert world.registered == []


def test_a_plan_alone_shows_what_the_build_would_emulate_and_leaves_nothing_open(world):
    (facts,) = foresee(plan(LOCAL), [LOCAL])
    assert plan(facts).possible
    assert world.opened == []


def test_a_plan_alone_registers_nothing(world, monkeypatch):
    world.uid = 0
    monkeypatch.setattr(module, "preview", lambda request: (SimpleNamespace(refusals=()), None))
    (facts,) = foresee(plan(LOCAL), [LOCAL])
    assert "will be registered" in facts.reasons[RISCV]
    assert (world.registered, world.said) == ([], [])
    monkeypatch.setattr(module, "preview", lambda request: (SimpleNamespace(refusals=("one",)), None))
    assert foresee(plan(LOCAL), [LOCAL]) == (LOCAL,)


def test_a_plan_alone_stays_impossible_where_the_build_is(world):
    world.opening = NO_IDS
    assert foresee(plan(LOCAL), [LOCAL]) == (LOCAL,)
