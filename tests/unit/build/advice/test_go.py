import pytest
from tests.unit.build.advice.asking import only, patched, platform_of, rules

RULE = "go-cross"


def go(*steps: str, image: str = "golang:1.22-alpine", export: str = "/out/app") -> str:
    lines = [f"FROM {image} AS build", "WORKDIR /src", "COPY . .", *steps, "FROM alpine", f"COPY --from=build {export} /app", ""]
    return "\n".join(lines)


PLAIN = "RUN CGO_ENABLED=0 go build -o /out/app ."


def test_a_plain_build_moves_to_the_build_platform_and_names_its_target():
    text = patched(go("# compile", PLAIN), RULE)
    assert text.splitlines()[0] == "FROM --platform=$BUILDPLATFORM golang:1.22-alpine AS build"
    assert text.splitlines()[3:7] == [
        "ARG TARGETOS",
        "ARG TARGETARCH",
        "# compile",
        "RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -o /out/app .",
    ]
    assert platform_of(text, "build", "linux/arm64") == "linux/amd64"
    assert platform_of(text, "stage-1", "linux/arm64") == "linux/arm64"


def test_arguments_come_after_the_steps_that_do_not_need_them():
    text = patched(go("RUN go mod download", PLAIN), RULE)
    assert text.index("go mod download") < text.index("ARG TARGETOS")


def test_arguments_that_are_there_are_not_declared_again():
    text = patched(go("ARG TARGETARCH", PLAIN), RULE)
    assert text.count("ARG TARGETARCH") == 1


def test_arm_gets_its_version_from_the_variant():
    text = patched(go(PLAIN), RULE, "linux/arm/v6,linux/arm/v7,linux/arm64")
    assert "GOARM=${TARGETVARIANT#v} go build" in text
    assert "ARG TARGETVARIANT" in text


def test_a_variant_that_is_not_arm_keeps_the_patch_away():
    assert only(go(PLAIN), RULE, "linux/arm/v7,linux/amd64/v3").patch is None


def test_windows_line_ends_stay():
    text = patched(go(PLAIN).replace("\n", "\r\n"), RULE)
    assert "ARG TARGETOS\r\nARG TARGETARCH\r\nRUN CGO" in text


def test_continued_lines_and_comments_in_them_stay():
    text = patched(
        go("RUN CGO_ENABLED=0 \\\n    # small\n    go build -ldflags '-s -w' \\\n      -o /out/app . && \\\n    go version"), RULE
    )
    assert "    # small\n    GOOS=$TARGETOS GOARCH=$TARGETARCH go build -ldflags '-s -w' \\\n" in text


def test_a_here_document_is_a_script_too():
    text = patched(go("RUN <<EOF", "set -e", "CGO_ENABLED=0 go build -o /out/app .", "EOF"), RULE)
    assert "CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build" in text


def test_backtick_as_escape_works():
    text = patched("# escape=`\n" + go("RUN CGO_ENABLED=0 `\n  go build -o /out/app ."), RULE)
    assert "`\n  GOOS=$TARGETOS GOARCH=$TARGETARCH go build" in text


def test_env_for_the_whole_stage_counts():
    patched(go("ENV CGO_ENABLED=0", "RUN go build -o /out/app .", image="golang:1.22"), RULE)


def test_alpine_without_a_compiler_cannot_have_used_c():
    patched(go("RUN go build -o /out/app ."), RULE)


def test_stages_on_top_move_together():
    text = patched(
        "FROM golang:1.22-alpine AS base\nWORKDIR /src\nCOPY go.mod .\nRUN go mod download\n"
        "FROM base AS build\nCOPY . .\nRUN CGO_ENABLED=0 go build -o /out/app .\nFROM scratch\nCOPY --from=build /out/app /\n",
        RULE,
    )
    assert text.startswith("FROM --platform=$BUILDPLATFORM golang")
    assert "FROM base AS build\nCOPY . .\nARG TARGETOS\nARG TARGETARCH\nRUN CGO_ENABLED=0 GOOS=" in text


def test_certificates_and_sources_may_be_copied_too():
    text = go(PLAIN).replace(
        "COPY --from=build", "COPY --from=build /etc/ssl/certs /etc/ssl/certs\nCOPY --from=build /src/html /html\nCOPY --from=build"
    )
    patched(text, RULE)


@pytest.mark.parametrize(
    ("steps", "word"),
    [
        (("RUN apk add build-base", "RUN go build -o /out/app ."), "CGO_ENABLED"),
        ((PLAIN, "RUN /out/app --version"), "'app'"),
        (("RUN make generate", PLAIN), "'make'"),
        (("RUN go generate ./...", PLAIN), "'go'"),
        (("RUN if true; then CGO_ENABLED=0 go build -o /out/app .; fi",), "plain list"),
        (('SHELL ["/bin/bash", "-c"]', PLAIN), "SHELL"),
        (("RUN find . -exec ./tool {} +", PLAIN), "'find'"),
    ],
)
def test_what_cannot_be_known_is_patched_only_on_request(steps, word):
    found = only(go(*steps), RULE)
    assert not found.safe
    assert found.patch
    assert word in found.why


@pytest.mark.parametrize(
    ("steps", "word"),
    [
        (("RUN CGO_ENABLED=1 go build -o /out/app .",), "CGO_ENABLED=1"),
        (("RUN CGO_ENABLED=0 go build -buildmode=pie -o /out/app .",), "-buildmode"),
        ((PLAIN, "RUN uname -m > /out/arch"), "asks for the machine"),
        ((PLAIN, "RUN cp /usr/bin/wget /out/"), "'cp'"),
        ((PLAIN, "RUN cp $(which wget) /out/"), "'cp'"),
        (("COPY --from=busybox /bin/busybox /out/", PLAIN), "busybox"),
        (("RUN apk add --root /out busybox", PLAIN), "'apk'"),
    ],
)
def test_what_would_be_wrong_gets_no_patch(steps, word):
    found = only(go(*steps), RULE)
    assert found.patch is None
    assert word in found.why


@pytest.mark.parametrize("export", ["/go/bin/tool", "/usr/bin/git", "/", "/usr/local/bin"])
def test_files_that_the_build_did_not_make_raise_doubts(export):
    found = only(go(PLAIN, export=export), RULE)
    assert not found.safe
    assert export in found.why


@pytest.mark.parametrize("stage", ["FROM build AS test\nRUN go test ./...", "FROM alpine AS debug\nCOPY --from=build /out/app /app"])
def test_stages_for_other_images_raise_doubts(stage):
    found = only(go(PLAIN).replace("FROM alpine", f"{stage}\nFROM alpine"), RULE)
    assert not found.safe
    assert "which these images do not need" in found.why


def test_debian_image_without_a_word_on_cgo_is_not_safe():
    assert not only(go("RUN go build -o /out/app .", image="golang:1.22"), RULE).safe


@pytest.mark.parametrize("image", ["golang:1.22-alpine-amd64", "arm64v8/golang:1.22-alpine"])
def test_images_for_one_architecture_stay(image):
    assert only(go(PLAIN, image=image), RULE).patch is None


@pytest.mark.parametrize(
    "text",
    [
        go("ARG TARGETARCH", "RUN CGO_ENABLED=0 GOARCH=$TARGETARCH go build -o /out/app ."),
        go("ENV GOARCH=arm64", PLAIN),
        "FROM golang:1.22-alpine\nRUN go build -o /app .\n",
        go("RUN go version"),
    ],
)
def test_nothing_to_say(text):
    assert RULE not in rules(text)


def test_no_advice_where_nothing_is_emulated():
    assert rules(go(PLAIN), "linux/amd64") == []


def test_a_build_that_forgot_its_target_on_the_build_platform_gets_it():
    text = go(PLAIN).replace("FROM golang", "FROM --platform=$BUILDPLATFORM golang")
    result = patched(text, RULE)
    assert result.count("--platform=$BUILDPLATFORM") == 1
    assert "GOARCH=$TARGETARCH go build" in result


def test_tools_for_the_build_itself_stay_for_the_build_platform():
    text = (
        "FROM --platform=$BUILDPLATFORM golang:1.22-alpine AS tool\nWORKDIR /t\nCOPY . .\nRUN CGO_ENABLED=0 go build -o /t/gen .\n"
        "FROM --platform=$BUILDPLATFORM alpine AS gen\nCOPY --from=tool /t/gen /gen\nRUN /gen > /out.txt\n"
        "FROM alpine\nCOPY --from=gen /out.txt /\n"
    )
    assert RULE not in rules(text)
