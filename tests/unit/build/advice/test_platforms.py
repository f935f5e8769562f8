import pytest
from tests.unit.build.advice.asking import advice, only, patched, rules


def test_a_fixed_platform_of_the_image_is_wrong_for_others():
    found = only("FROM --platform=linux/amd64 debian\nRUN true\n", "fixed-platform")
    assert "linux/arm64" in found.message
    assert not found.safe
    assert found.patch


def test_a_fixed_platform_of_a_builder_could_be_the_build_platform():
    text = "FROM --platform=linux/amd64 node:22 AS b\nRUN true\nFROM debian\nCOPY --from=b /x /x\n"
    found = only(text, "fixed-platform")
    assert found.patch
    assert found.patch[0].text.strip() == "--platform=$BUILDPLATFORM"


def test_a_stage_for_each_platform_is_right():
    text = "FROM --platform=linux/amd64 debian AS x-amd64\nFROM --platform=linux/arm64 ubuntu AS x-arm64\nFROM x-${TARGETARCH}\nRUN true\n"
    assert rules(text) == []


@pytest.mark.parametrize("flag", ["$TARGETPLATFORM", "${TARGETPLATFORM}"])
def test_the_target_platform_need_not_be_named(flag):
    text = patched(f"FROM --platform={flag}  debian AS x\nRUN true\n", "redundant-platform")
    assert text == "FROM debian AS x\nRUN true\n"


def test_the_target_platform_is_needed_by_old_buildahs_behind_another_platform():
    text = "FROM{} debian AS a\nRUN true\nFROM --platform=$TARGETPLATFORM debian\nCOPY --from=a /x /x\n"
    assert "redundant-platform" not in rules(text.format(" --platform=$BUILDPLATFORM"))
    found = only(text.format(""), "redundant-platform")
    assert found.patch
    assert not found.safe


def test_a_target_platform_of_ones_own_is_something_else():
    assert rules("ARG TARGETPLATFORM=linux/arm64\nFROM --platform=$TARGETPLATFORM debian\nRUN true\n") == []


def test_variables_that_no_one_declared_are_declared():
    text = patched("FROM debian\nRUN true\n# why\nRUN echo $TARGETARCH ${TARGETOS}\n", "undeclared-argument")
    assert text == "FROM debian\nRUN true\nARG TARGETARCH\nARG TARGETOS\n# why\nRUN echo $TARGETARCH ${TARGETOS}\n"


@pytest.mark.parametrize(
    "step",
    [
        "COPY x-$TARGETARCH /x",
        "ENV A=$TARGETPLATFORM",
        'RUN ["sh", "-c", "echo $TARGETARCH"]',
        "RUN <<EOF\necho $BUILDARCH\nEOF",
        "ADD https://h/$TARGETOS /x",
    ],
)
def test_every_kind_of_use_counts(step):
    patched(f"FROM debian\n{step}\n", "undeclared-argument")


@pytest.mark.parametrize(
    "text",
    [
        "FROM debian\nARG TARGETARCH\nRUN echo $TARGETARCH\n",
        "FROM debian AS a\nARG TARGETARCH\nRUN true\nFROM a\nRUN echo $TARGETARCH\n",
        "FROM debian\nENV TARGETARCH=x\nRUN echo $TARGETARCH\n",
        "FROM debian\nRUN TARGETARCH=$(dpkg --print-architecture) && echo $TARGETARCH\n",
        "FROM debian\nRUN echo \\$TARGETARCH\n",
        "FROM debian\nCMD echo $TARGETARCH\n",
        "FROM debian-$TARGETARCH\nRUN true\n",
    ],
)
def test_variables_that_are_there_are_left_alone(text):
    assert "undeclared-argument" not in rules(text)


def test_a_default_that_the_build_may_rely_on_is_not_taken_away():
    found = only("FROM debian\nRUN echo ${TARGETARCH:-amd64}\n", "undeclared-argument")
    assert not found.safe
    assert found.patch


def test_a_default_hides_the_platform():
    found = only("FROM debian\nARG TARGETARCH=amd64\nRUN echo $TARGETARCH\n", "fixed-argument")
    assert not found.safe
    assert found.patch
    assert found.patch[0].text == ""


EARLY = """\
FROM --platform=$BUILDPLATFORM golang:1 AS b
ARG TARGETARCH
WORKDIR /s
RUN apt-get update
RUN go mod download
{use}
FROM debian
COPY --from=b /x /
"""


def test_arguments_move_down_to_their_use():
    text = patched(EARLY.format(use="# use\nRUN GOARCH=$TARGETARCH go build"), "early-argument")
    assert "AS b\nWORKDIR /s\nRUN apt-get update\nRUN go mod download\nARG TARGETARCH\n# use\nRUN GOARCH" in text


def test_a_script_may_look_at_its_environment():
    text = EARLY.format(use="RUN ./build.sh")
    assert "RUN go mod download\nARG TARGETARCH\nRUN ./build.sh" in patched(text, "early-argument")
    assert "early-argument" not in rules(text.replace("RUN apt-get update", "RUN ./prepare.sh"))


def test_arguments_that_stand_right_or_do_not_matter_stay():
    assert "early-argument" not in rules(
        "FROM --platform=$BUILDPLATFORM golang:1 AS b\nARG TARGETARCH\nRUN echo $TARGETARCH\nFROM debian\nCOPY --from=b /x /\n"
    )
    assert "early-argument" not in rules("FROM debian\nARG TARGETARCH\nRUN apt-get update\nRUN echo $TARGETARCH\n")
    assert "early-argument" not in rules(EARLY.format(use="RUN GOARCH=$TARGETARCH go build"), "linux/arm64")


def test_caches_with_files_of_one_platform_are_kept_apart():
    text = patched("FROM debian\nRUN --mount=type=cache,target=/src/target ./build\n", "shared-cache-mount")
    assert text == "FROM debian\nARG TARGETARCH\nRUN --mount=type=cache,target=/src/target,id=src-target-${TARGETARCH} ./build\n"


def test_an_id_gets_the_architecture_added():
    text = patched("FROM debian\nARG TARGETARCH\nRUN --mount=type=cache,id=b,target=/b ./build\n", "shared-cache-mount")
    assert "id=b-${TARGETARCH},target=/b" in text


def test_all_mounts_of_one_cache_change_together():
    text = patched("FROM debian\nRUN --mount=type=cache,target=/b ./one\nRUN --mount=type=cache,target=/b/ ./two\n", "shared-cache-mount")
    assert text.count("id=b-${TARGETARCH}") == 2


def test_variants_tell_caches_apart():
    text = patched("FROM debian\nRUN --mount=type=cache,target=/b ./build\n", "shared-cache-mount", "linux/arm/v6,linux/arm/v7")
    assert "id=b-${TARGETARCH}${TARGETVARIANT}" in text


def test_a_cache_that_a_common_step_shares_is_not_known_to_be_safe_to_split():
    text = (
        "FROM --platform=$BUILDPLATFORM debian AS f\nRUN --mount=type=cache,target=/b ./fill\n"
        "FROM debian\nCOPY --from=f /x /x\nRUN --mount=type=cache,target=/b ./build\n"
    )
    assert not only(text, "shared-cache-mount").safe


@pytest.mark.parametrize(
    "target", ["/go/pkg/mod", "/root/.npm", "/root/.m2", "/root/.cache/go-build", "/usr/local/cargo/registry", "/root/.cache/pip"]
)
def test_caches_that_keep_platforms_apart_themselves_stay(target):
    assert "shared-cache-mount" not in rules(f"FROM debian\nRUN --mount=type=cache,target={target} ./build\n")


def test_caches_of_steps_that_run_once_stay():
    text = "FROM --platform=$BUILDPLATFORM debian AS f\nRUN --mount=type=cache,target=/b ./fill\nFROM debian\nCOPY --from=f /x /x\n"
    assert rules(text) == []
    assert rules("FROM debian\nRUN --mount=type=cache,target=/b ./build\n", "linux/arm64") == []


def test_platforms_take_turns_with_apt():
    text = patched("FROM debian\nRUN --mount=type=cache,target=/var/cache/apt apt-get update\n", "shared-cache-mount")
    assert "target=/var/cache/apt,sharing=locked apt-get" in text


def test_a_download_for_one_architecture_is_seen():
    found = only(
        "FROM debian\nRUN curl -fLO https://example.com/t-linux-amd64.tgz && tar xf t-linux-amd64.tgz\n", "download-for-one-architecture"
    )
    assert "linux/arm64" in found.message
    assert not found.safe
    assert found.patch
    assert [edit.text for edit in found.patch] == [
        "ARG TARGETARCH\n",
        "https://example.com/t-linux-${TARGETARCH}.tgz",
        "t-linux-${TARGETARCH}.tgz",
    ]


@pytest.mark.parametrize(
    "step",
    [
        "RUN wget https://example.com/t-x86_64.tgz",
        "ADD --checksum=sha256:" + "0" * 64 + " https://example.com/t-amd64.tgz /",
        "RUN curl -LO https://example.com/t_amd64.deb && sha256sum -c sums",
        "RUN curl -LO 'https://example.com/t_amd64.deb'",
    ],
)
def test_downloads_that_need_more_than_another_name_get_no_patch(step):
    assert only(f"FROM debian\n{step}\n", "download-for-one-architecture").patch is None


@pytest.mark.parametrize(
    "step",
    [
        "RUN curl https://example.com/t-$(uname -m).tgz -o amd64.tgz",
        "RUN echo https://example.com/t-amd64.tgz",
        "RUN curl https://example.com/t-noarch.tgz",
        'ARG TARGETARCH\nRUN case "$TARGETARCH" in amd64) curl https://h/amd64 ;; *) curl https://h/arm64 ;; esac',
    ],
)
def test_downloads_that_choose_or_do_not_depend_are_left_alone(step):
    assert "download-for-one-architecture" not in rules(f"FROM debian\n{step}\n")


def test_a_question_for_the_machine_on_the_build_platform():
    text = "FROM --platform=$BUILDPLATFORM debian AS b\nRUN curl -o /x https://h/$(uname -m)\nFROM debian\nCOPY --from=b /x /x\n"
    assert only(text, "machine-question").patch is None
    assert "machine-question" not in rules(text.replace("RUN curl", "ARG TARGETARCH\nRUN echo $TARGETARCH && curl"))
    assert "machine-question" not in rules(text.replace("--platform=$BUILDPLATFORM ", ""))


@pytest.mark.parametrize("flag", ["$BUILDPLATFORM", "linux/amd64"])
def test_a_program_of_another_platform_is_seen_where_it_is_copied(flag):
    text = f"FROM --platform={flag} rust AS b\nRUN cargo build\nFROM debian\nCOPY --from=b /target/x /x\n"
    found = only(text, "program-of-other-platform")
    assert found.span.first == 4
    assert found.patch is None
    assert "program-of-other-platform" not in rules(text.replace("RUN", "ARG TARGETARCH\nRUN T=$TARGETARCH"))
    assert "program-of-other-platform" not in rules(text, "linux/amd64")


def test_advice_comes_in_the_order_of_the_file_and_as_json():
    found = advice("FROM --platform=$TARGETPLATFORM debian\nRUN echo $TARGETARCH\n")
    assert [one.span.first for one in found] == [1, 2]
    assert found[1].to_json() == {
        "rule": "undeclared-argument",
        "stage": "stage-0",
        "message": "$TARGETARCH is empty here: no ARG declares it",
        "why": "the builder's variables are visible in a stage only after an ARG that names them",
        "gain": "the step gets the platform that it asks for",
        "first_line": 2,
        "last_line": 2,
        "safe": True,
        "patch": [{"line": 2, "column": 0, "end": 0, "text": "ARG TARGETARCH\n"}],
    }
