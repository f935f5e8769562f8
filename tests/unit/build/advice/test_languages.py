import pytest
from tests.unit.build.advice.asking import only, patched, platform_of, rules


def javascript(*steps: str, export: str = "/ui/dist", image: str = "node:22") -> str:
    lines = [f"FROM {image} AS ui", "WORKDIR /ui", "COPY . .", *steps, "FROM nginx", f"COPY --from=ui {export} /www", ""]
    return "\n".join(lines)


@pytest.mark.parametrize(
    "steps",
    [
        ("RUN npm ci && npm run build",),
        ("RUN corepack enable", "RUN pnpm install", "RUN pnpm build"),
        ("RUN yarn", "RUN yarn build"),
        ("RUN npx vite build",),
    ],
)
def test_front_ends_are_built_once(steps):
    text = patched(javascript(*steps), "javascript-on-build-platform")
    assert platform_of(text, "ui", "linux/arm64") == "linux/amd64"
    assert platform_of(text, "stage-1", "linux/arm64") == "linux/arm64"
    assert text.removeprefix("FROM --platform=$BUILDPLATFORM ") == javascript(*steps).removeprefix("FROM ")


@pytest.mark.parametrize("export", ["/ui", "/ui/node_modules", "/ui/.next", "/ui/.output", "/", "/ui/src/../lib"])
def test_what_may_hold_native_addons_stays(export):
    assert only(javascript("RUN npm ci && npm run build", export=export), "javascript-on-build-platform").patch is None


@pytest.mark.parametrize("step", ["RUN apt-get install -y python3 make g++", "RUN npm install sharp", "RUN npx pkg ."])
def test_native_addons_keep_the_patch_away(step):
    assert only(javascript(step, "RUN npm run build"), "javascript-on-build-platform").patch is None


def test_the_folder_of_the_build_is_not_taken_for_its_output():
    text = javascript("RUN npm run build", export="/build/server").replace("WORKDIR /ui", "WORKDIR /build")
    assert only(text, "javascript-on-build-platform").patch is None


@pytest.mark.parametrize("runtime", ["node:22-slim", "gcr.io/distroless/nodejs22-debian12", "debian\nRUN apt-get install -y nodejs"])
def test_output_that_node_runs_is_not_known_to_be_safe(runtime):
    found = only(javascript("RUN npm ci && npm run build").replace("FROM nginx", f"FROM {runtime}"), "javascript-on-build-platform")
    assert not found.safe
    assert found.patch


def test_another_image_than_node_raises_doubts():
    assert not only(javascript("RUN npm run build", image="company/tools"), "javascript-on-build-platform").safe


def java(step: str, export: str) -> str:
    return f"FROM maven:3 AS jar\nWORKDIR /j\nCOPY . .\n{step}\nFROM eclipse-temurin:21\nCOPY --from=jar {export} /\n"


@pytest.mark.parametrize(
    ("step", "export"),
    [
        ("RUN mvn -B package", "/j/target/*.jar"),
        ("RUN ./gradlew build", "/j/build/libs"),
        ("RUN mvn package && java -Djarmode=layertools -jar target/a.jar extract", "/j/dependencies"),
    ],
)
def test_bytecode_is_made_once(step, export):
    assert patched(java(step, export), "java-on-build-platform").startswith("FROM --platform=$BUILDPLATFORM maven")


def test_native_images_and_runtimes_are_for_one_platform():
    assert only(java("RUN mvn -Pnative package", "/j/target/app"), "java-on-build-platform").patch is None
    assert only(java("RUN mvn package && jlink --output /jre", "/jre"), "java-on-build-platform").patch is None
    assert not only(java("RUN mvn package", "/j"), "java-on-build-platform").safe


def dotnet(*steps: str, tag: str = "8.0") -> str:
    head = [f"FROM mcr.microsoft.com/dotnet/sdk:{tag} AS build", "WORKDIR /s", "COPY *.csproj .", *steps]
    return "\n".join([*head, "FROM mcr.microsoft.com/dotnet/aspnet:8.0", "COPY --from=build /app .", ""])


def test_dotnet_publishes_for_its_target():
    text = patched(dotnet("RUN dotnet restore", "COPY . .", "RUN dotnet publish --no-restore -o /app"), "dotnet-cross")
    assert "RUN dotnet restore -a $TARGETARCH\n" in text
    assert "RUN dotnet publish -a $TARGETARCH --no-restore -o /app\n" in text
    assert text.count("ARG TARGETARCH") == 1


@pytest.mark.parametrize("option", ["-r linux-x64", "--runtime linux-x64", "-a arm64", "-p:PublishAot=true", "--use-current-runtime"])
def test_a_runtime_that_is_chosen_stays(option):
    assert only(dotnet(f"RUN dotnet publish {option} -o /app"), "dotnet-cross").patch is None


def test_old_sdks_solutions_and_platforms_without_a_runtime_raise_doubts():
    publish = "RUN dotnet publish -o /app"
    assert not only(dotnet(publish, tag="6.0"), "dotnet-cross").safe
    assert not only(dotnet("COPY all.sln .", publish), "dotnet-cross").safe
    assert not only(dotnet(publish), "dotnet-cross", "linux/amd64,linux/s390x").safe
    assert not only(dotnet("RUN dotnet publish"), "dotnet-cross").safe


def test_rust_is_told_how_without_a_patch():
    text = "FROM rust:1 AS build\nCOPY . .\nRUN cargo build --release\nFROM debian\nCOPY --from=build /target/release/x /\n"
    found = only(text, "rust-cross")
    assert found.patch is None
    assert "rustup target add aarch64-unknown-linux-gnu" in found.why
    assert "gcc-aarch64-linux-gnu" in found.why
    assert "rust-cross" not in rules(text.replace("--release", "--release --target x"))


def c(*steps: str, packages: str = "gcc libc6-dev", image: str = "debian:12", export: str = "/src/hello") -> str:
    head = [f"FROM {image} AS cc", f"RUN apt-get update && apt-get install -y {packages}", "WORKDIR /src", "COPY . ."]
    return "\n".join([*head, *steps, "FROM debian:12", f"COPY --from=cc {export} /", ""])


def test_c_is_compiled_by_a_cross_compiler():
    text = patched(c("# the program", "RUN gcc -O2 -o hello hello.c -lm && strip hello"), "c-cross")
    assert "RUN target-gcc -O2 -o hello hello.c -lm && target-strip hello\n" in text
    assert "ARG TARGETARCH\nARG TARGETVARIANT\nRUN case" in text
    assert text.index("apt-get install -y gcc") < text.index("ARG TARGETARCH") < text.index("WORKDIR /src")
    assert platform_of(text, "cc", "linux/arm64") == "linux/amd64"


def test_the_tool_chain_is_written_with_the_escape_of_the_file():
    text = patched("# escape=`\n" + c("RUN gcc -o hello hello.c"), "c-cross")
    assert 'RUN case "$TARGETARCH/$TARGETVARIANT" in `\n' in text


@pytest.mark.parametrize(
    "text",
    [
        c("RUN gcc -march=native -o hello hello.c"),
        c("RUN gcc -o hello hello.c -lssl"),
        c("RUN gcc -o hello hello.c", packages="gcc libssl-dev"),
        "FROM gcc:13 AS cc\nRUN apk add gcc\nRUN gcc -o /hello hello.c\nFROM debian\nCOPY --from=cc /hello /\n",
    ],
)
def test_c_that_needs_more_than_a_compiler_gets_no_patch(text):
    assert only(text, "c-cross").patch is None


def test_libraries_are_named_with_what_the_target_needs():
    assert "libssl-dev:ARCH" in only(c("RUN gcc -o hello hello.c", packages="gcc libssl-dev"), "c-cross").why


def test_make_gets_the_compiler_and_is_not_known_to_be_safe():
    found = only(c("RUN make", packages="build-essential"), "c-cross")
    assert not found.safe
    assert found.patch
    assert any("CC=target-gcc" in edit.text for edit in found.patch)


def test_platforms_without_a_cross_compiler_keep_the_patch_away():
    assert only(c("RUN gcc -o hello hello.c"), "c-cross", "linux/amd64,linux/arm/v5").patch is None


def fetch(*steps: str, image: str = "alpine:3", export: str = "/opt/tool") -> str:
    return "\n".join([f"FROM {image} AS get", *steps, "FROM debian", f"COPY --from=get {export} /opt/tool", ""])


CURL = "RUN apk add --no-cache curl && mkdir /opt/tool && curl -fL https://example.com/t.tgz | tar xz -C /opt/tool"


def test_fetching_does_not_need_an_emulator():
    assert patched(fetch(CURL), "fetch-on-build-platform") == fetch(CURL).replace("FROM alpine", "FROM --platform=$BUILDPLATFORM alpine")


def test_a_stage_that_chooses_by_target_may_move_too():
    step = "RUN wget -O /opt/tool https://example.com/t-${TARGETARCH}"
    patched(fetch("ARG TARGETARCH", step), "fetch-on-build-platform")


@pytest.mark.parametrize(
    "text",
    [
        fetch("RUN wget -O /opt/tool https://example.com/t-$(uname -m)"),
        fetch("RUN apk add curl && curl -o /x https://example.com/x", export="/usr/bin/curl"),
        fetch(CURL, export="/"),
    ],
)
def test_what_belongs_to_the_platform_keeps_the_patch_away(text):
    assert only(text, "fetch-on-build-platform").patch is None


def test_files_of_unknown_packages_and_images_raise_doubts():
    assert not only(fetch("RUN apk add kubectl", CURL), "fetch-on-build-platform").safe
    assert not only(fetch(CURL, image="company/base"), "fetch-on-build-platform").safe


def test_a_script_from_the_network_is_more_than_fetching():
    assert "fetch-on-build-platform" not in rules(fetch("RUN curl https://example.com/i.sh | sh"))
