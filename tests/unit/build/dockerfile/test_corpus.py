"""The corpus: every file that is accepted has the stages it should, every other one is refused at its line for its reason."""

from pathlib import Path

import pytest

from quarterdeck.build.dockerfile.errors import DockerfileError
from quarterdeck.build.dockerfile.parser import parse

CORPUS = Path(__file__).parents[3] / "data" / "dockerfiles"
REFUSED = {
    "add-nothing": (2, "ADD needs a source and a destination"),
    "arg-blank-name": (1, "ARG has an '=' without a name before it"),
    "arg-nothing": (2, "ARG needs at least one argument"),
    "copy-one-argument": (2, "COPY needs a source and a destination"),
    "device-twice": (2, "'name=b' in --device follows the name 'a'"),
    "directive-twice": (2, "the parser directive 'escape' is given twice"),
    "empty-boolean": (2, "--link is true or false, not ''"),
    "empty": (1, "there is no FROM"),
    "env-blank-name": (2, "ENV has an '=' without a name before it"),
    "env-mixed": (2, "'B' in ENV has no '='"),
    "env-nothing": (2, "ENV needs at least one argument"),
    "env-without-value": (2, "ENV A has no value"),
    "escape-wrong": (1, "the escape character 'x' is neither \\ nor `"),
    "expose-nothing": (2, "EXPOSE needs at least one argument"),
    "flag-on-env": (2, "ENV has no flag --x"),
    "flag-twice": (2, "--chown is given twice"),
    "flag-without-value": (1, "--platform has no value"),
    "from-comment": (1, "FROM takes an image, or an image AS name"),
    "from-nothing": (1, "FROM takes an image, or an image AS name"),
    "from-two-words": (1, "FROM takes an image, or an image AS name"),
    "healthcheck-interval": (2, "--interval is a duration, not '30'"),
    "healthcheck-no-command": (2, "no command follows HEALTHCHECK CMD"),
    "healthcheck-none-more": (2, "HEALTHCHECK NONE takes no arguments"),
    "healthcheck-nothing": (2, "HEALTHCHECK needs at least one argument"),
    "healthcheck-retries": (2, "--retries is a number, not '-1'"),
    "healthcheck-too-short": (2, "--timeout is at least 1ms or 0, not 1us"),
    "healthcheck-unknown": (2, "HEALTHCHECK is CMD or NONE, not 'RUN'"),
    "heredoc-destination": (2, "COPY cannot have a here-document for its destination"),
    "heredoc-without-end": (2, "the here-document 'EOF' has no end"),
    "json-number": (2, "a JSON array in an instruction holds only strings"),
    "label-nothing": (2, "LABEL needs at least one argument"),
    "line-too-long": (2, "the line is longer than 65535 bytes, the most that BuildKit reads"),
    "lone-backslash": (2, "nothing follows the line that is to be continued"),
    "mount-empty": (2, "the flag has an empty value"),
    "mount-from-variable": (3, "--mount=from=... takes no variables"),
    "mount-quote": (2, "a quote in 'type=cache,\"target=/x' has no end or something after it"),
    "network-wrong": (2, "--network is default or none or host, not 'bridge'"),
    "not-a-boolean": (2, "--link is true or false, not 'yes'"),
    "onbuild-from": (2, "FROM cannot be kept by ONBUILD"),
    "onbuild-maintainer": (2, "MAINTAINER cannot be kept by ONBUILD"),
    "onbuild-nothing": (2, "ONBUILD needs an instruction"),
    "onbuild-onbuild": (2, "ONBUILD cannot be kept by ONBUILD"),
    "only-arg": (1, "there is no FROM"),
    "only-comments": (1, "there is no FROM"),
    "run-before-from": (2, "RUN before the first FROM"),
    "security-wrong": (2, "--security is sandbox or insecure, not 'privileged'"),
    "shell-empty": (2, "SHELL needs at least one argument"),
    "shell-not-json": (2, "SHELL takes only the JSON form"),
    "stage-name-number": (1, "'1st' is no name for a stage"),
    "stopsignal-nothing": (2, "STOPSIGNAL needs exactly one argument"),
    "unknown-flag": (2, "COPY has no flag --form"),
    "unknown-instruction": (3, "'COPPY' is no instruction"),
    "user-nothing": (2, "USER needs exactly one argument"),
    "volume-blank": (2, "VOLUME has an empty path"),
    "volume-nothing": (2, "VOLUME needs at least one argument"),
    "workdir-nothing": (2, "WORKDIR needs exactly one argument"),
}
STAGES = {
    "go-cross": [("build", "$BUILDPLATFORM", "golang:${GO_VERSION}-bookworm"), (None, None, "gcr.io/distroless/static-debian12:nonroot")],
    "odd-case": [("Stage-1.x_Y", None, "scratch")],
    "heredocs": [(None, None, "alpine")],
    "stage-by-number": [(None, None, "alpine"), (None, None, "scratch"), (None, None, "1")],
    "substitutions": [
        ("one", None, "${REGISTRY}/app:${TAG#v}"),
        ("two", None, "${UNSET:-alpine}:${TAG%%-*}"),
        ("three", "linux/${ARCH:-amd64}", "${REGISTRY}/a:${TAG/rc/beta}"),
    ],
    "stage-from-variable": [
        ("build-dev", None, "scratch"),
        ("build-prod", None, "scratch"),
        ("final", None, "build-${VARIANT}"),
        ("never", None, "final-$TARGETARCH"),
        ("final-amd64", None, "scratch"),
    ],
}


def names(kind):
    return sorted(path.name.removesuffix(".Dockerfile") for path in (CORPUS / kind).iterdir())


def read(kind, name):
    return (CORPUS / kind / f"{name}.Dockerfile").read_bytes()


@pytest.mark.parametrize("name", names("accepted"))
def test_it_is_accepted_and_its_sources_are_its_lines(name):
    content = read("accepted", name)
    dockerfile = parse(content)
    lines = content.decode().removeprefix("\ufeff").split("\n")
    last = 0
    for instruction in dockerfile.instructions:
        assert last < instruction.span.first <= instruction.span.last
        assert instruction.source == "\n".join(lines[instruction.span.first - 1 : instruction.span.last])
        assert all(not line.strip() or line.lstrip().startswith("#") for line in lines[last : instruction.span.first - 1])
        last = instruction.span.last


@pytest.mark.parametrize("name", STAGES)
def test_its_stages(name):
    found = [instruction for instruction in parse(read("accepted", name)).instructions if instruction.keyword == "FROM"]
    assert [
        (stage.arguments[2] if len(stage.arguments) > 2 else None, stage.flag("platform"), stage.arguments[0]) for stage in found
    ] == STAGES[name]


@pytest.mark.parametrize("name", names("refused"))
def test_it_is_refused_at_its_line(name):
    with pytest.raises(DockerfileError) as caught:
        parse(read("refused", name))
    line, fault = REFUSED[name]
    assert caught.value.line == line
    assert caught.value.fault.startswith(fault)


def test_every_refused_file_is_in_the_table():
    assert names("refused") == sorted(REFUSED)
