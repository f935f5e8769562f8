"""Emulators of a build's own: who needs them, what they add to a host, and what engines are told; nothing is opened."""

import contextlib
import os
from dataclasses import replace

import pytest

from quarterdeck.binfmt.private.instance import Instance
from quarterdeck.build.dockerfile.parser import parse
from quarterdeck.build.nodes.model import EngineFacts, EngineName, Kind, Node, NodeFacts, Runs
from quarterdeck.build.platform import Platform
from quarterdeck.build.run.order import BuildOrder
from quarterdeck.build.run.private import PrivateEmulators, open_private, private_engines, wants_network, with_emulated
from quarterdeck.build.run.way import way_to
from quarterdeck.build.stages.resolve import resolve_stages
from quarterdeck.core.arch import find_arch
from quarterdeck.errors import HostError

AMD, RISCV, ARM = map(Platform.parse, ("linux/amd64", "linux/riscv64", "linux/arm/v7"))
BUILDAH, PODMAN, DOCKER = EngineName.BUILDAH, EngineName.PODMAN, EngineName.DOCKER


@pytest.fixture(autouse=True)
def ordinary_user(monkeypatch):
    for name in ("BUILDAH_ISOLATION", "CONTAINER_HOST", "CONTAINER_CONNECTION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(os, "getegid", lambda: 100)


def having(*engines):
    return NodeFacts(name="local", platforms={AMD: Runs.NATIVE}, engines=tuple(EngineFacts(one, "1.0") for one in engines))


def emulators(*names):
    return PrivateEmulators(Instance(4711, True, ()), tuple(map(find_arch, names)))


def order(text="FROM a\nRUN b\n", **options):
    return BuildOrder(context=".", dockerfile=parse(text), file=None, platforms=(RISCV,), **options)


def graph(text, target=RISCV):
    return resolve_stages(parse(text), target=target, build=AMD, arguments={})


@pytest.mark.parametrize(
    ("text", "target", "needed"),
    [
        ("FROM a\nRUN b\n", RISCV, True),
        ("FROM a\nCOPY b c\n", RISCV, False),
        ("FROM a\nRUN b\n", AMD, False),
        ("FROM --platform=$BUILDPLATFORM a AS x\nRUN b\nFROM scratch\nCOPY --from=x /b /b\n", RISCV, False),
        ("FROM --platform=linux/riscv64 a AS x\nRUN b\nFROM scratch\nCOPY --from=x /b /b\n", AMD, True),
        ("FROM --platform=linux/riscv64 a AS unused\nRUN b\nFROM scratch\n", AMD, False),
    ],
)
def test_a_build_needs_them_when_a_stage_that_is_needed_runs_their_programs(text, target, needed):
    assert emulators("riscv64").needed_by(graph(text, target)) is needed


def test_engines_are_told_that_they_are_rootless_already_and_use_chroots():
    endpoint = emulators("riscv64").endpoint()
    assert endpoint.wrap[0].endswith("nsenter")
    assert "4711" in endpoint.wrap
    assert endpoint.wrap[-1] == "--"
    assert endpoint.environment == {
        "BUILDAH_ISOLATION": "chroot",
        "_CONTAINERS_USERNS_CONFIGURED": "done",
        "_CONTAINERS_ROOTLESS_UID": "1000",
        "_CONTAINERS_ROOTLESS_GID": "100",
    }


@pytest.mark.parametrize(
    ("given", "own"),
    [
        (order(), False),
        (order(network="host"), False),
        (order(network="default"), False),
        (order(network="none"), True),
        (order("FROM a\nRUN --network=none b\n"), True),
        (order("FROM a\nRUN --network=host b\n"), False),
        (order(extra=("--network", "none")), True),
        (order(extra=("--network=host",)), False),
    ],
)
def test_another_network_than_the_host_s_is_seen_wherever_it_is_asked_for(given, own):
    assert wants_network(given) is own


def test_steps_that_must_not_have_the_host_s_network_run_in_containers():
    assert "BUILDAH_ISOLATION" not in replace(emulators("riscv64"), chroot=False).endpoint().environment


def test_root_has_its_own_images_and_an_isolation_that_the_user_chose_stays(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv("BUILDAH_ISOLATION", "rootless")
    assert emulators("riscv64").endpoint().environment == {}


def test_platforms_are_added_with_their_variants_and_what_was_known_stays():
    facts = with_emulated(having(BUILDAH), [find_arch("arm"), find_arch("x86_64")], "it is so")
    assert facts.platforms[AMD] is Runs.NATIVE
    assert facts.having(Runs.EMULATED) == (ARM, Platform.parse("linux/arm/v6"), Platform.parse("linux/arm/v5"))
    assert facts.reasons[ARM] == "it is so"


def test_only_engines_without_a_daemon_build_inside(monkeypatch):
    assert private_engines(having(DOCKER, PODMAN, BUILDAH)) == (BUILDAH, PODMAN)
    monkeypatch.setenv("CONTAINER_HOST", "ssh://elsewhere")
    assert private_engines(having(DOCKER, PODMAN, BUILDAH)) == (BUILDAH,)


@pytest.mark.parametrize(("engines", "wanted", "hint"), [((DOCKER,), None, "buildah"), ((DOCKER, BUILDAH), DOCKER, "leave out --engine")])
def test_without_such_an_engine_nothing_is_opened(engines, wanted, hint):
    with pytest.raises(HostError) as caught, open_private([find_arch("riscv64")], having(*engines), order=order(engine=wanted)):
        pass
    assert caught.value.key == "no-engine-for-emulators"
    assert hint in caught.value.hint


async def test_the_way_leads_inside_and_to_these_engines_alone():
    local = Node(name="local", kind=Kind.LOCAL, endpoint="local")
    async with contextlib.AsyncExitStack() as stack:
        inside = await stack.enter_async_context(way_to(local, having(DOCKER, BUILDAH), private=emulators("riscv64")))
        outside = await stack.enter_async_context(way_to(local, having(DOCKER, BUILDAH)))
    assert inside.engines == {BUILDAH}
    assert inside.endpoint.wrap
    assert outside.engines == {EngineName.BUILDX, DOCKER, BUILDAH}
    assert not outside.endpoint.wrap
