import pytest
from tests.unit.cli.build.progress_scenes import AMD, ARM, begun

from quarterdeck.build.dockerfile.parser import parse
from quarterdeck.build.engines.events import named_step
from quarterdeck.build.nodes.model import NodeFacts, Runs
from quarterdeck.build.planning.make import make_plan
from quarterdeck.build.planning.model import PlanOptions
from quarterdeck.cli.build.progress.foresight import Foresight
from quarterdeck.cli.build.progress.track import Track

DOCKERFILE = """\
FROM --platform=linux/amd64 debian AS build
WORKDIR /src
RUN make
FROM debian
ENV A=b
COPY --from=build /src/a /a
RUN /a --version
"""


@pytest.fixture
def foresight():
    node = NodeFacts(name="here", platforms={AMD: Runs.NATIVE, ARM: Runs.EMULATED})
    return Foresight(make_plan(parse(DOCKERFILE), [ARM], [node], PlanOptions()))


@pytest.mark.parametrize(
    ("name", "runs", "emulated"),
    [
        ("[stage-1 3/3] RUN /a --version", Runs.EMULATED, True),
        ("[stage-1 3/3] RUN /a --version", Runs.NATIVE, False),
        ("[stage-1 3/3] RUN /a --version", None, False),
        ("[build 3/3] RUN make", Runs.EMULATED, False),
        ("[1 3/3] RUN make", Runs.EMULATED, False),
        ("[stage-1 2/3] COPY --from=build /src/a /a", Runs.EMULATED, False),
        ("[other 3/3] RUN something", Runs.EMULATED, True),
        ("exporting to image", Runs.EMULATED, False),
    ],
)
def test_a_plan_tells_which_steps_are_emulated(foresight, name, runs, emulated):
    assert foresight.emulated(ARM, named_step("1", name), runs) is emulated


def test_a_stage_that_the_engine_says_is_of_another_platform_is_not_emulated():
    step = named_step("1", "[linux/amd64->arm64 build 3/3] RUN make")
    assert not Foresight().emulated(ARM, step, Runs.EMULATED)
    assert Foresight().emulated(ARM, named_step("1", "[linux/arm64 build 3/3] RUN make"), Runs.EMULATED)


@pytest.mark.parametrize(
    ("seen", "engine", "steps"),
    [
        (set(), "buildx 0.13", 6),
        ({"build"}, "buildx 0.13", 3),
        ({"build", "stage-1"}, "buildx 0.13", 0),
        (set(), "buildah 1.39", 7),
        ({"1"}, "podman 4.3", 4),
    ],
)
def test_a_plan_tells_how_many_steps_come_that_nobody_has_named(foresight, seen, engine, steps):
    assert foresight.unseen(ARM, seen, engine) == steps
    assert foresight.unseen(AMD, seen, engine) == 0


def test_the_count_of_steps_does_not_jump_when_another_stage_begins(foresight):
    track = Track(ARM, foresight, engine="buildx 0.13")
    counts = []
    for name in ("[build 1/3] FROM debian", "[build 2/3] WORKDIR /src", "[stage-1 1/3] FROM debian"):
        track.step(begun(ARM, name).event, 0.0)
        counts.append(track.steps)
    assert counts == [(0, 6)] * 3
