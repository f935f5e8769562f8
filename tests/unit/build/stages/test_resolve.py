"""What stages stand on, which platform each has, and which are needed."""

import pytest

from quarterdeck.build.dockerfile.errors import DockerfileError
from quarterdeck.build.dockerfile.parser import parse
from quarterdeck.build.platform import Platform
from quarterdeck.build.stages.model import Context, FromStage, Image, Scratch, StepKind
from quarterdeck.build.stages.resolve import resolve_stages
from quarterdeck.errors import UsageError

ARM = Platform.parse("linux/arm64")
AMD = Platform.parse("linux/amd64")


def graph(text, *, target=ARM, build=AMD, stage=None, contexts=None, **arguments):
    return resolve_stages(parse(text), target=target, build=build, arguments=arguments, stage=stage, contexts=contexts)


def platforms(text, **options):
    return {stage.label: str(stage.platform) for stage in graph(text, **options).needed}


def reached(text, **options):
    return [stage.label for stage in graph(text, **options).needed]


def test_bases_are_images_stages_or_nothing():
    stages = graph("FROM debian AS a\nFROM a AS b\nFROM scratch").stages
    assert [stage.base for stage in stages] == [Image("debian"), FromStage(0), Scratch()]
    assert [stage.label for stage in stages] == ["a", "b", "stage-2"]


def test_platform_of_a_stage():
    text = (
        "FROM --platform=$BUILDPLATFORM debian AS build\nFROM --platform=$TARGETPLATFORM debian AS target\n"
        "FROM --platform=linux/s390x debian AS fixed\nFROM debian AS plain\nFROM scratch\n"
        "COPY --from=build / /\nCOPY --from=target / /\nCOPY --from=fixed / /\nCOPY --from=plain / /"
    )
    assert platforms(text) == {
        "build": "linux/amd64",
        "target": "linux/arm64",
        "fixed": "linux/s390x",
        "plain": "linux/arm64",
        "stage-4": "linux/arm64",
    }
    assert [stage.explicit_platform for stage in graph(text).stages] == [True, True, True, False, False]


def test_stage_has_the_platform_of_the_stage_that_it_stands_on_whatever_it_says():
    text = "FROM --platform=$BUILDPLATFORM debian AS a\nFROM --platform=linux/s390x a\nRUN x"
    assert platforms(text) == {"a": "linux/amd64", "stage-1": "linux/amd64"}


@pytest.mark.parametrize("word", ["$NOPE", "linux/a/b/c/d", "=x"])
def test_platform_that_is_none_is_refused_with_its_line(word):
    with pytest.raises(DockerfileError, match="Dockerfile:2: --platform"):
        graph(f"\nFROM --platform={word} debian")


def test_stage_names_come_from_variables():
    text = "FROM a AS base-arm64\nFROM b AS base-amd64\nFROM base-${TARGETARCH}"
    assert reached(text) == ["base-arm64", "stage-2"]
    assert reached(text, target=AMD) == ["base-amd64", "stage-2"]


def test_stage_that_is_missing_for_one_platform_is_remarked():
    text = "FROM a AS base-arm64\nFROM base-${TARGETARCH}"
    assert graph(text).remarks == ()
    (remark,) = graph(text, target=AMD).remarks
    assert (remark.line, "base-arm64" in remark.text) == (2, True)


def test_names_are_the_same_in_any_case():
    assert reached("FROM debian AS Build\nFROM scratch\nCOPY --from=BUILD / /") == ["build", "stage-1"]
    assert reached("FROM debian AS Build\nFROM BUILD") == ["build", "stage-1"]


def test_stage_named_like_its_own_image_stands_on_the_image():
    assert graph("FROM golang AS golang\nFROM golang").stages[0].base == Image("golang")


def test_of_two_stages_with_one_name_the_last_above_counts():
    text = "FROM one AS a\nFROM two AS a\nFROM a\n"
    assert graph(text).stages[2].base == FromStage(1)


def test_only_what_the_target_needs_is_reached():
    text = (
        "FROM debian AS a\nFROM debian AS unused\nRUN false\nFROM debian AS tools\n"
        "FROM a AS b\nRUN --mount=type=bind,from=tools,target=/t x\nFROM b AS late"
    )
    assert reached(text) == ["a", "tools", "b", "late"]
    assert reached(text, stage="b") == ["a", "tools", "b"]
    assert reached(text, stage="UNUSED") == ["unused"]
    assert reached(text, stage="0") == ["a"]


def test_copy_from_names_a_stage_by_number_an_image_or_a_stage_further_down():
    text = "FROM debian AS a\nCOPY --from=1 / /\nCOPY --from=nginx:1 / /\nCOPY --from=c / /\nFROM x AS b\nFROM y AS c"
    resolved = graph(text, stage="a")
    assert [step.sources for step in resolved.stages[0].steps] == [(FromStage(1),), (Image("nginx:1"),), (FromStage(2),)]
    assert resolved.reachable == {0, 1, 2}


def test_number_of_a_stage_that_there_is_not_is_refused():
    with pytest.raises(DockerfileError, match="Dockerfile:3: there is no stage 7"):
        graph("FROM a\nFROM b\nCOPY --from=7 / /")


@pytest.mark.parametrize("line", ["COPY --from=$X / /", "RUN --mount=type=bind,from=${X},target=/x y"])
def test_variable_as_source_is_refused_with_a_way_out(line):
    with pytest.raises(DockerfileError) as caught:
        graph(f"ARG X=a\nFROM debian\n{line}")
    assert (caught.value.line, "FROM" in caught.value.hint) == (3, True)


@pytest.mark.parametrize(
    ("text", "way"),
    [
        ("FROM a AS x\nCOPY --from=x / /", "'x' needs 'x'"),
        ("FROM a AS x\nCOPY --from=y / /\nFROM b AS y\nCOPY --from=x / /", "'x' needs 'y' needs 'x'"),
        ("FROM a AS x\nRUN --mount=from=2,target=/m z\nFROM x AS y\nFROM y", "'x' needs 'stage-2' needs 'y' needs 'x'"),
    ],
)
def test_circle_is_refused_and_shown(text, way):
    with pytest.raises(DockerfileError) as caught:
        graph(text)
    assert (caught.value.key, caught.value.reason) == ("circular-stages", way)


def test_slip_in_the_name_of_a_stage_is_remarked_and_an_image_is_not():
    text = "FROM debian AS build\nFROM scratch\nCOPY --from=biuld / /\nCOPY --from=build:1 / /\nCOPY --from=nginx / /"
    assert [(remark.line, "did you mean the stage 'build'" in remark.text) for remark in graph(text).remarks] == [(3, True)]


def test_unknown_target_is_refused_with_a_suggestion():
    with pytest.raises(UsageError) as caught:
        graph("FROM a AS build\nFROM b AS test", stage="biuld")
    assert (caught.value.exit_code, caught.value.hint) == (2, "did you mean 'build'?")
    assert "build, test" in caught.value.reason
    with pytest.raises(UsageError, match="no stage '9'"):
        graph("FROM a", stage="9")


def test_context_stands_in_for_an_image():
    resolved = graph("FROM alpine:latest\nCOPY --from=docker.io/library/tools / /", contexts={"alpine": "./a", "tools": "./t"})
    assert resolved.stages[0].base == Context("alpine", "./a")
    assert resolved.stages[0].steps[0].sources == (Context("tools", "./t"),)


def test_context_takes_the_place_of_a_stage_which_then_needs_nothing():
    text = "FROM debian AS deps\nRUN x\nFROM deps AS build\nRUN y\nFROM scratch\nCOPY --from=build / /"
    resolved = graph(text, contexts={"build": "../out"})
    assert [stage.label for stage in resolved.needed] == ["build", "stage-2"]
    assert (resolved.stages[1].replaced, resolved.stages[1].steps) == (Context("build", "../out"), ())
    assert resolved.root(resolved.stages[1]) == Context("build", "../out")


def test_onbuild_of_a_stage_runs_first_in_those_that_stand_on_it_and_not_further():
    text = (
        "FROM debian AS base\nARG V=1\nONBUILD ENV W=$V\nONBUILD COPY --from=tools / /t\nFROM debian AS tools\n"
        "FROM base AS child\nRUN x\nFROM child AS grandchild\nRUN y"
    )
    resolved = graph(text)
    child, grandchild = resolved.stages[2:]
    assert [(step.instruction.keyword, step.trigger) for step in child.steps] == [("ENV", True), ("COPY", True), ("RUN", False)]
    assert child.steps[-1].variables["W"] == "1"
    assert [step.trigger for step in grandchild.steps] == [False]
    assert 1 in resolved.reachable


def test_kinds_of_steps():
    text = 'FROM a\nRUN x\nCOPY a b\nADD a b\nWORKDIR /w\nENV A=1\nCMD x\nUSER u\nVOLUME /v\nLABEL a=b\nHEALTHCHECK NONE\nSHELL ["sh"]'
    kinds = [step.kind for step in graph(text).stages[0].steps]
    assert kinds == [StepKind.RUN, *[StepKind.FILES] * 3, *[StepKind.SETTING] * 7]


def test_root_is_at_the_bottom_and_users_are_those_that_take():
    resolved = graph("FROM debian:12 AS a\nFROM a AS b\nFROM b\nCOPY --from=a / /")
    assert resolved.root(resolved.stages[2]) == Image("debian:12")
    assert [stage.label for stage in resolved.users(0)] == ["b", "stage-2"]


def test_thousands_of_stages_in_a_row():
    text = "FROM debian AS s0\n" + "".join(f"FROM s{index} AS s{index + 1}\nRUN x\n" for index in range(3000))
    assert len(graph(text).reachable) == 3001


def test_wrong_mount_is_refused_with_its_line_where_the_stage_is_needed():
    unneeded = "FROM a AS x\nRUN --mount=type=foo true\nFROM b\nRUN --mount=type=cache,target=/c,Z --mount=type=bind,target=/b,z,ro true\n"
    assert reached(unneeded) == ["stage-1"]
    with pytest.raises(DockerfileError, match="Dockerfile:2: type in --mount is"):
        graph(unneeded, stage="x")
    with pytest.raises(DockerfileError, match="Dockerfile:3: sharing in --mount is"):
        graph("FROM a\nARG S=never\nRUN --mount=type=cache,target=/c,sharing=$S true\n")
