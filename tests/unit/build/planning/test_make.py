import pytest

from quarterdeck.build.dockerfile.parser import parse
from quarterdeck.build.nodes.choice import Emulation
from quarterdeck.build.nodes.model import NodeFacts, Runs
from quarterdeck.build.planning.history import History, Sample
from quarterdeck.build.planning.make import make_plan
from quarterdeck.build.planning.measured import Timing, find_step, samples
from quarterdeck.build.planning.model import Mode, PlanOptions
from quarterdeck.build.planning.problems import check
from quarterdeck.build.planning.work import Work
from quarterdeck.build.platform import Platform
from quarterdeck.errors import HostError, UsageError

AMD, ARM, S390 = map(Platform.parse, ("linux/amd64", "linux/arm64", "linux/s390x"))


def node(name="local", native=(AMD,), emulated=(ARM,), **more):
    return NodeFacts(name=name, platforms={**dict.fromkeys(native, Runs.NATIVE), **dict.fromkeys(emulated, Runs.EMULATED)}, **more)


LOCAL = node()
ARM_NODE = node("arm", (ARM,), ())


def plan(text, *platforms, nodes=(), **options):
    return make_plan(parse(text), platforms or (ARM,), nodes or [LOCAL], PlanOptions(**options))


def modes(text, **options):
    (one,) = plan(text, **options).platforms
    return [(step.span.first, step.mode) for _, step in one.steps if step.mode is not Mode.FREE]


CROSS = """FROM --platform=$BUILDPLATFORM golang AS build
ARG TARGETARCH
RUN apt-get update
RUN GOARCH=$TARGETARCH go build -o /a
FROM scratch
COPY --from=build /a /a
"""
PLAIN = "FROM debian AS build\nRUN gcc x.c\nCOPY a b\nENV A=1\nCMD x\n"


def test_files_and_settings_are_free_and_say_why():
    (one,) = plan(PLAIN).platforms
    free = [step for _, step in one.steps if step.mode is Mode.FREE]
    assert [step.step.instruction.keyword for step in free] == ["COPY", "ENV", "CMD"]
    assert all(step.reason and step.work is None and step.estimate is None for step in free)


def test_step_on_a_node_of_its_platform_is_native():
    assert modes(PLAIN, nodes=[ARM_NODE]) == [(2, Mode.NATIVE)]


def test_step_of_the_target_platform_elsewhere_is_emulated_with_reason_and_remedy():
    (one,) = plan(PLAIN).platforms
    step = next(step for _, step in one.steps)
    assert (step.mode, step.slowdown) == (Mode.EMULATED, 9.0)
    assert "local emulates linux/arm64" in step.reason
    assert "no --platform" in step.reason
    assert "crossbuild-essential-arm64" in step.faster
    assert "qd nodes add" in one.faster


def test_stage_on_the_build_platform_that_makes_for_another_is_cross_and_any_node_can_do_it():
    (one,) = plan(CROSS, S390).platforms
    assert (one.mode, one.runs, one.node) == (Mode.CROSS, None, "local")
    assert [step.mode for _, step in one.steps if step.work] == [Mode.CROSS, Mode.CROSS]
    assert "line 4 uses TARGETARCH" in next(step.reason for _, step in one.steps if step.work)


def test_same_stage_is_native_for_the_build_platform_itself():
    assert modes(CROSS, nodes=[ARM_NODE]) == [(3, Mode.NATIVE), (4, Mode.NATIVE)]


@pytest.mark.parametrize(
    ("line", "sign"),
    [
        ("RUN GOARCH=arm64 go build", "GOARCH"),
        ("ENV GOARCH=arm64\nRUN go build", "GOARCH"),
        ("RUN aarch64-linux-gnu-gcc x.c", "aarch64-linux-gnu-gcc"),
        ("RUN apt-get install -y gcc-aarch64-linux-gnu", "gcc-aarch64-linux-gnu"),
        ("RUN apt-get install -y crossbuild-essential-arm64", "crossbuild-essential-arm64"),
        ("RUN cargo build --target aarch64-unknown-linux-gnu", "--target"),
        ("RUN rustup target add aarch64-unknown-linux-gnu", "rustup with target"),
        ("RUN cd x && clang --target=aarch64-linux-gnu x.c", "--target=aarch64-linux-gnu"),
        ('RUN ["cargo", "build", "--target", "x"]', "--target"),
        ("RUN dpkg --add-architecture arm64", "--add-architecture"),
        ("RUN xx-clang x.c", "xx-clang"),
        ("RUN ./configure --host=aarch64-linux-gnu", "--host"),
        ("RUN dotnet publish -a arm64", "-a"),
        ("RUN make CROSS_COMPILE=aarch64-linux-gnu-", "CROSS_COMPILE"),
        ("RUN <<E\nmake ARCH=$TARGETARCH\nE", "TARGETARCH"),
    ],
)
def test_signs_of_cross_compiling(line, sign):
    (one,) = plan(f"FROM --platform=$BUILDPLATFORM debian AS b\n{line}\nFROM scratch\nCOPY --from=b / /").platforms
    step = next(step for _, step in one.steps if step.work)
    assert (step.mode, sign in step.reason) == (Mode.CROSS, True)


def test_files_from_the_build_platform_without_any_sign_are_cross_and_the_reason_warns():
    (one,) = plan("FROM --platform=$BUILDPLATFORM node AS b\nRUN npm run build\nFROM scratch\nCOPY --from=b / /").platforms
    step = next(step for _, step in one.steps if step.work)
    assert (step.mode, "must be the same for every architecture" in step.reason) == (Mode.CROSS, True)


def test_stage_on_the_build_platform_that_gives_nothing_to_the_target_is_native():
    text = (
        "FROM --platform=$BUILDPLATFORM debian AS a\nRUN x\nFROM --platform=$BUILDPLATFORM debian AS b\nCOPY --from=a / /\n"
        "RUN GOARCH=arm64 go build\nFROM scratch\nCOPY --from=b / /"
    )
    assert modes(text) == [(2, Mode.NATIVE), (5, Mode.CROSS)]


def test_build_platform_is_that_of_the_chosen_node():
    (one,) = plan(CROSS, nodes=[node(), ARM_NODE]).platforms
    assert (one.node, one.graph.build_platform, one.runs) == ("arm", ARM, Runs.NATIVE)


def test_native_node_goes_before_an_emulating_one_and_the_other_could_take_over():
    made = plan(PLAIN, AMD, ARM, nodes=[node(), ARM_NODE])
    assert [(one.node, one.mode) for one in made.platforms] == [("local", Mode.NATIVE), ("arm", Mode.NATIVE)]
    assert made.platforms[1].others == ("local",)


def test_constant_platform_is_emulated_on_a_node_of_the_target():
    text = "FROM --platform=linux/amd64 debian AS a\nRUN make\nFROM scratch\nCOPY --from=a / /"
    (one,) = plan(text, nodes=[node("arm", (ARM,), (AMD,))]).platforms
    step = next(step for _, step in one.steps if step.work)
    assert (step.mode, "--platform of FROM asks for linux/amd64" in step.reason) == (Mode.EMULATED, True)


def test_only_copying_needs_no_emulator():
    (one,) = plan("FROM debian\nCOPY a b", S390).platforms
    assert (one.mode, one.node, one.runs) == (Mode.FREE, "local", None)


def test_platform_that_no_node_runs_is_a_problem_with_place_and_remedy():
    made = plan(PLAIN, S390)
    (problem,) = made.problems
    assert (made.possible, problem.rule, problem.span.first if problem.span else 0) == (False, "platform-cannot-run", 2)
    assert "stage 'build'" in problem.message
    assert "qd binfmt install s390x" in problem.hint
    assert "qd nodes add" in problem.hint
    with pytest.raises(HostError, match="linux/s390x"):
        check(made)


def test_only_what_cannot_run_is_impossible():
    text = f"{CROSS.replace('FROM scratch', 'FROM debian')}RUN x\n"
    assert modes(text.replace("TARGETARCH", "X"), nodes=[node(emulated=())]) == [(3, Mode.CROSS), (4, Mode.CROSS), (7, Mode.IMPOSSIBLE)]


def test_nodes_that_are_down_are_left_out_and_named():
    down = NodeFacts(name="far", healthy=False, problem="no route")
    assert [one.node for one in plan(PLAIN, nodes=[down, node()]).platforms] == ["local"]
    made = plan(PLAIN, nodes=[down])
    assert (made.platforms[0].node, "far cannot be reached" in made.problems[0].message) == ("", True)
    copying = plan("FROM debian\nCOPY a b", nodes=[down])
    assert [problem.rule for problem in copying.problems] == ["no-node"]


@pytest.mark.parametrize(("emulation", "warnings", "problems"), [("never", 0, 1), ("warn", 1, 0), ("allow", 0, 0)])
def test_policy_refuses_says_or_accepts_emulation(emulation, warnings, problems):
    made = plan(PLAIN, emulation=Emulation(emulation))
    assert (len(made.warnings), len(made.problems)) == (warnings, problems)
    assert made.platforms[0].mode is Mode.EMULATED


def test_forbidden_emulation_names_platform_stage_line_and_what_to_do():
    made = plan(PLAIN, emulation=Emulation.NEVER)
    with pytest.raises(UsageError) as caught:
        check(made)
    assert caught.value.key == "emulation-forbidden"
    for word in ("linux/arm64", "'build'", "Dockerfile:2"):
        assert word in caught.value.reason
    for word in ("crossbuild-essential-arm64", "qd nodes add", "--emulation warn"):
        assert word in caught.value.hint


def test_plan_without_problems_passes_the_check():
    check(plan(CROSS, emulation=Emulation.NEVER))


def test_build_argument_that_no_arg_declares_is_a_warning_with_a_suggestion():
    text = "ARG VERSION\nFROM debian\nARG TARGETARCH\nONBUILD ARG LATER\n"
    given = dict.fromkeys(("VERSON", "VERSION", "LATER", "http_proxy", "TARGETOS", "BUILDKIT_INLINE_CACHE", "ZZZ"), "1")
    assert list(plan(text, arguments=given).warnings) == [
        "no ARG declares the build argument VERSON; did you mean VERSION?",
        "no ARG declares the build argument ZZZ",
    ]


def test_what_the_parser_notices_is_a_warning():
    assert plan("FROM debian\nRUN a \\\n\n  b\n").warnings[0].startswith("line 3: an empty line")


def key_of(text, line=2, **options):
    (one,) = plan(text, **options).platforms
    return next(step.key for _, step in one.steps if step.span.first == line)


def test_key_of_a_step_does_not_depend_on_spaces_or_on_what_else_stands_there():
    first = key_of("FROM debian\nRUN make  all")
    assert first == key_of("FROM debian\nRUN make all\nRUN other")
    assert first == key_of("FROM debian\nRUN make \\\n  all")


@pytest.mark.parametrize("other", ["FROM alpine\nRUN make all", "FROM debian\nRUN make none", "FROM debian\nRUN --network=none make all"])
def test_key_of_a_step_depends_on_base_text_and_flags(other):
    assert key_of(other) != key_of("FROM debian\nRUN make all")


def test_key_of_a_step_depends_on_its_platform_and_the_variables_that_it_names():
    text = "FROM debian\nARG A B=1\nRUN make $A"
    assert key_of(text, 3, arguments={"A": "1"}) != key_of(text, 3, arguments={"A": "2"})
    assert key_of(text, 3, arguments={"B": "1"}) == key_of(text, 3, arguments={"B": "2"})
    assert key_of(text, 3) == key_of(text, 3, nodes=[ARM_NODE])
    (native,) = plan(text, AMD).platforms
    assert key_of(text, 3) not in {step.key for _, step in native.steps}


def test_estimates_come_from_what_was_measured():
    key = key_of(PLAIN)
    (one,) = plan(PLAIN, history=History.of([Sample(key, Runs.EMULATED, 70.0, 0)])).platforms
    assert (one.seconds(), one.seconds(Mode.EMULATED), one.seconds(Mode.NATIVE)) == (70.0, 70.0, None)
    assert one.to_json()["estimated_emulated_seconds"] == 70.0


@pytest.mark.parametrize("line", ['RUN ["gcc", "x.c"]', 'RUN ["/bin/sh", "-c", "make all"]', "RUN <<E\nmake\nE", "RUN <<E sh\nmake\nE"])
def test_work_is_recognised_in_every_form_of_run(line):
    (one,) = plan(f"FROM debian\n{line}\n").platforms
    assert [step.work for _, step in one.steps] == [Work.COMPILE]


def test_nothing_measured_means_no_number():
    assert plan(PLAIN).platforms[0].seconds() is None


def test_what_an_engine_reports_is_laid_to_the_steps():
    (one,) = plan(CROSS).platforms
    lines = [
        find_step(one, stage="build", number=2, text="RUN apt-get update"),
        find_step(one, stage="1", number=3, text="RUN apt-get update"),
        find_step(one, stage="build", number=3, text="RUN GOARCH=arm64 go build -o /a"),
        find_step(one, stage="build", number=9, text="RUN something else"),
        find_step(one, stage="nosuch", number=2, text="RUN apt-get update"),
        find_step(one, stage="build", number=1, text="FROM golang"),
        find_step(one, stage="", number=2, text="RUN apt-get update"),
    ]
    assert [step.span.first if step else None for step in lines] == [3, 3, 4, None, None, None, None]


def test_samples_say_how_the_step_ran():
    (one,) = plan(PLAIN).platforms
    (found,) = samples(one, [Timing("", 2, "RUN gcc x.c", 7.5), Timing("", 3, "COPY a b", 0.1)], time=5)
    assert (found.key, found.runs, found.seconds, found.time) == (key_of(PLAIN), Runs.EMULATED, 7.5, 5)


def test_of_two_equal_steps_the_place_decides():
    (one,) = plan("FROM debian AS a\nRUN x\nRUN x\nFROM a\nRUN x").platforms
    assert [step.span.first for number in (2, 3) if (step := find_step(one, stage="a", number=number, text="RUN x"))] == [2, 3]


def test_plan_as_json_has_every_step_with_mode_reason_and_lines():
    document = plan(CROSS, AMD, ARM).to_json()
    assert [one["platform"] for one in document["platforms"]] == ["linux/amd64", "linux/arm64"]
    steps = document["platforms"][1]["stages"][0]["steps"]
    assert [(step["instruction"], step["mode"], step["lines"]) for step in steps] == [
        ("ARG", "free", [2, 2]), ("RUN", "cross", [3, 3]), ("RUN", "cross", [4, 4]),
    ]  # fmt: skip
