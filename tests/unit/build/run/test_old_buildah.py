from dataclasses import dataclass
from pathlib import Path

import pytest

from quarterdeck.build.dockerfile.parser import parse
from quarterdeck.build.nodes.model import EngineName
from quarterdeck.build.platform import Platform
from quarterdeck.build.run.old_buildah import for_engine, with_platforms
from quarterdeck.build.run.old_docker import for_docker
from quarterdeck.build.run.order import BuildOrder
from quarterdeck.build.stages.resolve import resolve_stages

AMD64, ARM64 = Platform.parse("linux/amd64"), Platform.parse("linux/arm64")
CROSS = """# syntax is nothing here
ARG BASE=debian
FROM --platform=$BUILDPLATFORM \\
  $BASE AS build
ARG BUILDARCH TARGETARCH
RUN cc -o /app app.c
FROM other AS unused
FROM $BASE
COPY --from=build /app /app
"""


@dataclass(frozen=True)
class Engine:
    name: EngineName
    version: str
    capabilities: frozenset = frozenset()

    async def build(self, request, *, report, environment=None):
        raise AssertionError("nothing is built here")


def graph_of(text, target=ARM64):
    return resolve_stages(parse(text), target=target, build=AMD64, arguments={})


def test_every_needed_stage_says_its_platform_and_every_line_stays_where_it_is():
    text = with_platforms(parse(CROSS), graph_of(CROSS))
    assert text.count("\n") == CROSS.count("\n")
    assert [line for line in text.splitlines() if line.startswith("FROM")] == [
        "FROM --platform=linux/amd64 $BASE AS build",
        "FROM other AS unused",
        "FROM --platform=linux/arm64 $BASE",
    ]
    before, after = graph_of(CROSS), graph_of(text)
    assert [stage.platform for stage in after.needed] == [stage.platform for stage in before.needed]
    assert [stage.span.first for stage in after.stages] == [stage.span.first for stage in before.stages]


def request_for(text, platform):
    order = BuildOrder(context=".", dockerfile=parse(text), file=Path("Dockerfile"), platforms=(platform,))
    return order.request(platform, Path("/image.tar"), emulated=False)


@pytest.mark.parametrize(
    ("engine", "changed"),
    [
        (Engine(EngineName.BUILDAH, "1.28.2"), True),
        (Engine(EngineName.BUILDAH, "1.40.0"), False),
        (Engine(EngineName.PODMAN, "4.3.1"), True),
        (Engine(EngineName.BUILDX, "0.13.1"), False),
    ],
)
def test_only_old_buildahs_get_another_file(engine, changed):
    request = for_engine(request_for(CROSS, ARM64), engine, parse(CROSS), graph_of(CROSS))
    assert (request.dockerfile is None) == changed
    assert request.build_args.get("BUILDARCH") == ("amd64" if changed else None)


def test_a_file_for_one_platform_stays_as_it_is():
    request = request_for("FROM debian\n", ARM64)
    assert for_engine(request, Engine(EngineName.BUILDAH, "1.28.2"), parse("FROM debian\n"), graph_of("FROM debian\n")) is request


def test_what_is_ignored_beside_the_file_is_named_for_the_changed_one(tmp_path):
    file = tmp_path / "Special"
    order = BuildOrder(context=".", dockerfile=parse(CROSS), file=file, platforms=(ARM64,), extra=("--squash",))
    request = order.request(ARM64, Path("/image.tar"), emulated=False)
    assert for_engine(request, Engine(EngineName.BUILDAH, "1.28.2"), order.dockerfile, graph_of(CROSS)).extra == ("--squash",)
    (tmp_path / "Special.dockerignore").write_text("secret\n")
    changed = for_engine(request, Engine(EngineName.BUILDAH, "1.28.2"), order.dockerfile, graph_of(CROSS))
    assert changed.extra == (f"--ignorefile={file}.dockerignore", "--squash")


BY_PLATFORM = (
    "ARG TARGETARCH\nFROM a AS base-amd64\nFROM b AS base-arm64\nFROM base-${TARGETARCH} AS last\nFROM x$TARGETARCH-$OTHER${TARGETOS:-y}\n"
)


def test_arguments_of_the_platform_are_filled_in_where_from_names_them():
    request = for_engine(request_for(BY_PLATFORM, ARM64), Engine(EngineName.BUILDAH, "1.28.2"), parse(BY_PLATFORM), graph_of(BY_PLATFORM))
    assert request.dockerfile_text is not None
    assert request.dockerfile_text.splitlines()[-1] == "FROM --platform=linux/arm64 xarm64-$OTHER${TARGETOS:-y}"


@pytest.mark.parametrize(
    ("engine", "given"),
    [
        (Engine(EngineName.DOCKER, "20.10.24+dfsg1"), {"TARGETARCH": "arm64"}),
        (Engine(EngineName.DOCKER, "28.0.0"), {}),
        (Engine(EngineName.BUILDAH, "1.28.2"), {}),
    ],
)
def test_an_old_docker_is_told_what_stands_above_the_first_from(engine, given):
    assert for_docker(request_for(BY_PLATFORM, ARM64), engine, parse(BY_PLATFORM), graph_of(BY_PLATFORM)).build_args == given
