"""Which variables FROM, the instructions of a stage and the stages that stand on it see."""

import pytest

from quarterdeck.build.dockerfile.errors import DockerfileError
from quarterdeck.build.dockerfile.parser import parse
from quarterdeck.build.platform import Platform
from quarterdeck.build.stages.resolve import resolve_stages

ARM = Platform.parse("linux/arm64")
AMD = Platform.parse("linux/amd64")


def graph(text, *, target=ARM, build=AMD, stage=None, contexts=None, **arguments):
    return resolve_stages(parse(text), target=target, build=build, arguments=arguments, stage=stage, contexts=contexts)


def last_variables(text, **options):
    resolved = graph(text, **options)
    return dict(resolved.stages[resolved.target].steps[-1].variables)


def bases(text, **options):
    return [str(stage.base) for stage in graph(text, **options).stages]


def test_from_sees_arguments_above_it_with_defaults_of_each_other():
    assert bases("ARG A=1 B=$A.2\nARG C=${B}-slim\nFROM debian:$C") == ["debian:1.2-slim"]


def test_build_argument_beats_the_default():
    assert bases("ARG A=1\nFROM debian:$A", A="2") == ["debian:2"]


def test_build_argument_that_no_arg_declares_is_not_seen():
    with pytest.raises(DockerfileError, match="Dockerfile:1"):
        graph("FROM $A", A="debian")


def test_argument_without_value_leaves_from_blank_with_line_and_hint():
    with pytest.raises(DockerfileError) as caught:
        graph("ARG BASE\n\nFROM ${BASE}")
    assert (caught.value.line, "default" in caught.value.hint, "'${BASE}'" in caught.value.reason) == (3, True, True)


def test_argument_inside_a_stage_is_not_seen_by_from():
    with pytest.raises(DockerfileError):
        graph("FROM debian\nARG A=alpine\nFROM $A")


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("linux/arm64", {"TARGETPLATFORM": "linux/arm64", "TARGETOS": "linux", "TARGETARCH": "arm64", "TARGETVARIANT": ""}),
        ("linux/arm/v7", {"TARGETPLATFORM": "linux/arm/v7", "TARGETARCH": "arm", "TARGETVARIANT": "v7"}),
        ("linux/amd64/v3", {"TARGETARCH": "amd64", "TARGETVARIANT": "v3"}),
    ],
)
def test_platform_arguments_are_seen_once_declared(target, expected):
    names = " ".join(("TARGETPLATFORM", "TARGETOS", "TARGETARCH", "TARGETVARIANT", "BUILDARCH"))
    found = last_variables(f"FROM debian\nARG {names}\nRUN x", target=Platform.parse(target))
    assert found["BUILDARCH"] == "amd64"
    assert {name: found[name] for name in expected} == expected


def test_platform_arguments_are_not_seen_in_a_stage_that_does_not_declare_them():
    assert last_variables("FROM debian\nRUN echo $TARGETARCH") == {}


def test_platform_arguments_can_be_overridden_everywhere():
    text = "FROM base-$TARGETARCH\nARG TARGETARCH\nRUN x"
    assert bases(text, TARGETARCH="odd") == ["base-odd"]
    assert last_variables(text, TARGETARCH="odd") == {"TARGETARCH": "odd"}


def test_platform_argument_declared_above_from_keeps_its_value():
    assert bases("ARG TARGETARCH\nFROM base-$TARGETARCH") == ["base-arm64"]
    assert bases("ARG TARGETARCH=mine\nFROM base-$TARGETARCH") == ["base-mine"]


def test_target_stage_is_an_argument():
    assert bases("FROM a-$TARGETSTAGE AS one", stage="one") == ["a-one"]
    assert bases("FROM a-$TARGETSTAGE AS one") == ["a-default"]


def test_argument_of_the_global_scope_needs_a_declaration_in_the_stage():
    assert last_variables("ARG V=3\nFROM debian\nRUN x") == {}
    assert last_variables("ARG V=3\nFROM debian\nARG V\nRUN x") == {"V": "3"}
    assert last_variables("ARG V=3\nFROM debian\nARG V=4\nRUN x") == {"V": "4"}
    assert last_variables("ARG V=3\nFROM debian\nARG V=4\nRUN x", V="5") == {"V": "5"}


def test_argument_without_any_value_is_not_set():
    assert last_variables("FROM debian\nARG V\nRUN x") == {}


def test_env_beats_arg_in_either_order():
    assert last_variables("FROM debian\nENV A=env\nARG A=arg\nRUN x", A="given") == {"A": "env"}
    assert last_variables("FROM debian\nARG A=arg\nENV A=env\nRUN x") == {"A": "env"}


def test_one_env_sees_the_values_before_it():
    assert last_variables("FROM debian\nENV a=hello\nENV a=bye b=$a\nENV c=$a\nRUN x") == {"a": "bye", "b": "hello", "c": "bye"}


def test_a_step_sees_what_stands_above_it_only():
    steps = graph("FROM debian\nRUN a\nENV A=1\nRUN b\n").stages[0].steps
    assert [dict(step.variables) for step in steps] == [{}, {}, {"A": "1"}]


def test_stage_on_a_stage_inherits_env_and_arg_but_others_do_not():
    text = "FROM debian AS a\nARG X=1\nENV Y=2\nFROM a AS b\nRUN x\nFROM debian AS c\nRUN y"
    assert last_variables(text, stage="b") == {"X": "1", "Y": "2"}
    assert last_variables(text, stage="c") == {}


def test_what_a_stage_sets_does_not_come_back_to_the_one_below():
    text = "FROM debian AS a\nENV X=1\nFROM a AS b\nENV X=2\nFROM a AS c\nCOPY --from=b / /\nRUN x"
    assert last_variables(text) == {"X": "1"}


def test_builder_replaces_variables_where_buildkit_does_and_shell_elsewhere():
    text = 'FROM debian\nARG D=/opt P=80\nWORKDIR $D\nCOPY a ${D:-/x}/b\nEXPOSE $P\nRUN echo $D\nCMD echo $D\nLABEL a="$D $P"'
    assert [step.text for step in graph(text).stages[0].steps[1:]] == [
        "/opt", "a /opt/b", "80", "echo $D", "echo $D", 'a="/opt 80"',
    ]  # fmt: skip


def test_failing_substitution_is_an_error_with_its_line_only_where_the_stage_is_needed():
    text = "FROM debian AS a\nCOPY x ${Y:?no Y}\nFROM debian"
    assert graph(text).reachable == {1}
    with pytest.raises(DockerfileError, match=r"Dockerfile:2: .*no Y"):
        graph(text, stage="a")


def test_proxies_are_seen_by_run_without_a_declaration_and_by_others_with_one():
    text = "FROM debian\nRUN x\nWORKDIR /$http_proxy\nARG http_proxy\nWORKDIR /$http_proxy"
    steps = graph(text, http_proxy="p", OTHER="o").stages[0].steps
    assert dict(steps[0].variables) == {"http_proxy": "p"}
    assert [step.text for step in steps if step.instruction.keyword == "WORKDIR"] == ["/", "/p"]
