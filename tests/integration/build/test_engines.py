"""Real engines build real images: for this host's platform and for an emulated one."""

import asyncio
import dataclasses
import json
import os
import signal
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.engines.base import BaseImage, base_image
from tests.engines.docker import Docker, docker_engine, program
from tests.engines.fixtures import folder_for
from tests.engines.podman import Storage
from tests.engines.registry import Registry

from quarterdeck.build.dockerfile.parser import parse
from quarterdeck.build.engines.buildah import BuildahEngine
from quarterdeck.build.engines.choice import choose_engine, lacking
from quarterdeck.build.engines.docker import DockerEngine
from quarterdeck.build.engines.engine import Endpoint, Engine
from quarterdeck.build.engines.events import BuildEvent, LogLine, StepEvent, StepState
from quarterdeck.build.engines.failure import BuildFailedError, BuildHangsError
from quarterdeck.build.engines.find import find_engines
from quarterdeck.build.engines.needs import needs
from quarterdeck.build.engines.request import ArchiveFormat, BuildRequest
from quarterdeck.build.engines.session import parse_object
from quarterdeck.build.nodes.model import EngineName
from quarterdeck.build.oci import media_types
from quarterdeck.build.oci.open_image import open_image
from quarterdeck.build.platform import Platform
from quarterdeck.core.process import run
from quarterdeck.core.report import Message

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

AMD64 = Platform.parse("linux/amd64")
ARM64 = Platform.parse("linux/arm64")
BASES = {AMD64: "x86_64", ARM64: "aarch64"}
NAMES = ("buildah", "podman", "docker")
needs_arm64 = pytest.mark.skipif(
    not Path("/proc/sys/fs/binfmt_misc/qemu-aarch64").exists(), reason="no emulator for arm64 is registered on this host"
)


@pytest.fixture(scope="session")
def bases(host_docker: Docker, host_podman: Storage) -> dict[Platform, BaseImage]:
    images = {platform: base_image(arch) for platform, arch in BASES.items()}
    for image in images.values():
        host_docker.load(image.archive)
        host_podman.load(image.archive)
    return images


@pytest.fixture
def engines(host_docker: Docker, host_podman: Storage) -> dict[str, Engine]:
    storage = Endpoint(environment=host_podman.env)
    engine = Endpoint(environment=host_docker.env)
    versions = {name: run([name, "--version"]).text.split()[2] for name in ("buildah", "podman")}
    return {
        "buildah": BuildahEngine(storage, "buildah", versions["buildah"]),
        "podman": BuildahEngine(storage, "podman", versions["podman"], EngineName.PODMAN),
        "docker": DockerEngine(engine, program("docker"), host_docker("version", "--format={{.Server.Version}}").text.strip()),
    }


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "context"
    folder.mkdir()
    (folder / "file").write_text("content\n", encoding="utf-8")
    yield folder
    (tmp_path / "image.tar").unlink(missing_ok=True)


def request(context: Path, platform: Platform, text: str, **more: object) -> BuildRequest:
    values: dict[str, object] = {"network": "host", "emulated": platform != Platform.of_host(), **more}
    given = {"context": str(context), "platform": platform, "destination": context.parent / "image.tar", "dockerfile_text": text, **values}
    return BuildRequest(**given)  # type: ignore[arg-type]  # tests give what the field wants


def packed_layers(archive: Path) -> bool:
    """Whether the layers in an OCI archive are compressed; all are or none."""
    with open_image(archive) as layout:
        (packed,) = {layer.media_type != media_types.OCI_LAYER for layer in layout.source().manifest().layers}
        return packed


def configuration(archive: Path) -> dict[str, Any]:
    """Return the image's configuration out of an archive of either kind."""
    with tarfile.open(archive) as tar:

        def read(name: str) -> bytes:
            file = tar.extractfile(name)
            assert file is not None
            return file.read()

        if "manifest.json" in tar.getnames():
            return parse_object(read(parse_list(read("manifest.json"))[0]["Config"]))
        descriptor = parse_object(read("index.json"))["manifests"][0]
        manifest = parse_object(read(f"blobs/{descriptor['digest'].replace(':', '/')}"))
        return parse_object(read(f"blobs/{manifest['config']['digest'].replace(':', '/')}"))


def parse_list(data: bytes) -> list[dict[str, str]]:
    document: list[dict[str, str]] = json.loads(data)
    return document


def ends(events: list[BuildEvent]) -> dict[str, StepState]:
    return {event.step.text: event.state for event in events if isinstance(event, StepEvent) and event.state is not StepState.STARTED}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("platform", [AMD64, pytest.param(ARM64, marks=needs_arm64)], ids=str)
async def test_builds_an_image_of_one_platform(
    name: str, platform: Platform, engines: dict[str, Engine], bases: dict[Platform, BaseImage], context: Path
) -> None:
    text = (
        "ARG BASE\nFROM ${BASE} AS first\nARG WORD\nRUN uname -m >/machine; printf '\\033[31mhello %s\\033[0m\\n' $WORD\n"
        "FROM ${BASE}\nCOPY --from=first /machine /machine\nCOPY file /file\n"
    )
    events: list[BuildEvent] = []
    asked = request(
        context, platform, text, build_args={"BASE": bases[platform].name, "WORD": f"{name}-{platform.tag}"}, labels={"some": "label"}
    )
    result = await engines[name].build(dataclasses.replace(asked, packed=platform == AMD64), report=events.append)
    if name == "podman":
        assert packed_layers(result.path) == (platform == AMD64)
    config = configuration(result.path)
    assert (config["os"], config["architecture"]) == (platform.os, platform.architecture)
    assert config["config"]["Labels"]["some"] == "label"
    assert result.image_id.startswith("sha256:")
    assert result.digest.startswith("sha256:") == (result.format is ArchiveFormat.OCI)
    assert any(isinstance(event, LogLine) and event.text == f"hello {name}-{platform.tag}" for event in events)
    states = ends(events)
    assert states["COPY file /file"] in (StepState.DONE, StepState.CACHED)
    assert any(each.step.text.startswith("RUN uname -m") and each.seconds is not None for each in result.steps)


@pytest.mark.parametrize("name", NAMES)
async def test_flags_mean_the_same_everywhere(
    name: str,
    engines: dict[str, Engine],
    bases: dict[Platform, BaseImage],
    context: Path,
    host_podman: Storage,
    host_docker: Docker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FROM_ENVIRONMENT", "its-value")
    (context / "secret").write_text("hidden", encoding="utf-8")
    text = (
        f"FROM {bases[AMD64].name} AS wanted\nARG GIVEN\nARG FROM_ENVIRONMENT\nLABEL given=$GIVEN from=$FROM_ENVIRONMENT\n"
        'RUN --mount=type=secret,id=word test "$(cat /run/secrets/word)" = hidden && grep some.host /etc/hosts\n'
        f"FROM {bases[AMD64].name}\nRUN false\n"
    )
    asked = request(
        context,
        AMD64,
        text,
        target="wanted",
        build_args={"GIVEN": "a b", "FROM_ENVIRONMENT": None},
        secrets=(f"id=word,src={context}/secret",),
        add_hosts=("some.host:1.2.3.4",),
        tags=(f"localhost/wanted-{name}:1", f"localhost/wanted-{name}:2"),
        no_cache=True,
        extra=("--label=extra=yes",),
    )
    result = await engines[name].build(asked, report=lambda event: None)
    assert configuration(result.path)["config"]["Labels"].items() >= {"given": "a b", "from": "its-value", "extra": "yes"}.items()
    listing = (
        host_docker("images", "--format={{.Repository}}:{{.Tag}}")
        if name == "docker"
        else host_podman.podman("images", "--format={{.Repository}}:{{.Tag}}")
    )
    assert set(asked.tags) <= set(listing.text.split())


async def test_a_build_runs_where_the_endpoint_wraps_it(podman: Storage, bases: dict[Platform, BaseImage], context: Path) -> None:
    assert podman.inside is not None
    podman.load(bases[AMD64].archive)
    engine = BuildahEngine(Endpoint(environment=podman.env, wrap=tuple(podman.inside.argv([]))), "buildah", "1.28.2")
    result = await engine.build(request(context, AMD64, f"FROM {bases[AMD64].name}\nRUN true\n"), report=lambda event: None)
    assert configuration(result.path)["architecture"] == "amd64"


async def test_an_engine_that_goes_away_is_told_from_a_build_that_fails(
    bases: dict[Platform, BaseImage], context: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with docker_engine(folder_for(tmp_path_factory, "mortal")) as mortal:
        mortal.load(bases[AMD64].archive)
        engine = DockerEngine(Endpoint(environment=mortal.env), program("docker"), "20.10.24")

        def report(event: BuildEvent) -> None:
            if isinstance(event, LogLine) and event.text == "started":
                os.kill(int((mortal.socket.parent / "dockerd.pid").read_text(encoding="ascii")), signal.SIGTERM)

        with pytest.raises(BuildFailedError) as failure:
            await engine.build(request(context, AMD64, f"FROM {bases[AMD64].name}\nRUN echo started; sleep 60\n"), report=report)
    assert failure.value.engine_lost, failure.value.evidence


@pytest.mark.parametrize("name", NAMES)
async def test_what_was_built_before_is_cached(
    name: str, engines: dict[str, Engine], bases: dict[Platform, BaseImage], context: Path
) -> None:
    asked = request(context, AMD64, f"FROM {bases[AMD64].name}\nRUN echo {name} >/cached\nRUN echo more >>/cached\n")
    await engines[name].build(asked, report=lambda event: None)
    events: list[BuildEvent] = []
    await engines[name].build(asked, report=events.append)
    assert ends(events)[f"RUN echo {name} >/cached"] is StepState.CACHED


@pytest.mark.parametrize("name", ["buildah", "podman"])
async def test_a_cache_goes_through_a_registry(
    name: str,
    engines: dict[str, Engine],
    bases: dict[Platform, BaseImage],
    context: Path,
    host_podman: Storage,
    loopback_registry: Registry,
) -> None:
    cache = f"type=registry,ref={loopback_registry.name(f'cache-{name}')}:amd64"
    text = f"FROM {bases[AMD64].name}\nRUN echo cache {name} >/cached\n"
    result = await engines[name].build(request(context, AMD64, text, cache_to=(cache,)), report=lambda event: None)
    host_podman.podman("rmi", "--force", result.image_id)
    events: list[BuildEvent] = []
    await engines[name].build(request(context, AMD64, text, cache_from=(cache,)), report=events.append)
    assert ends(events)[f"RUN echo cache {name} >/cached"] is StepState.CACHED


@pytest.mark.parametrize("name", ["buildah", "podman"])
async def test_a_cache_that_mixes_platforms_up_is_seen_through(name: str, engines: dict[str, Engine], context: Path) -> None:
    text = f"FROM scratch\nCOPY file /{name}\nLABEL some=label\n"
    for platform in (AMD64, ARM64):
        result = await engines[name].build(request(context, platform, text), report=lambda event: None)
        assert configuration(result.path)["architecture"] == platform.architecture


@needs_arm64
@pytest.mark.parametrize("name", NAMES)
async def test_an_illegal_instruction_under_emulation_is_explained(
    name: str, engines: dict[str, Engine], bases: dict[Platform, BaseImage], context: Path
) -> None:
    asked = request(context, ARM64, f"FROM {bases[ARM64].name}\nRUN echo before; sh -c 'kill -ILL $$'\n")
    with pytest.raises(BuildFailedError) as failure:
        await engines[name].build(asked, report=lambda event: None)
    assert failure.value.key == "illegal-instruction"
    assert failure.value.step is not None
    assert failure.value.step.text.startswith("RUN echo before")
    assert failure.value.evidence.status == 132
    assert "before" in failure.value.tail


@pytest.mark.parametrize("name", NAMES)
async def test_a_registry_that_is_not_there_is_named(name: str, engines: dict[str, Engine], context: Path) -> None:
    asked = request(context, AMD64, "FROM 127.0.0.1:1/nothing:here\nRUN true\n")
    with pytest.raises(BuildFailedError) as failure:
        await engines[name].build(asked, report=lambda event: None)
    assert failure.value.key == "registry-unreachable"


@needs_arm64
@pytest.mark.parametrize("name", NAMES)
async def test_a_spinning_emulator_is_ended_and_explained(
    name: str, engines: dict[str, Engine], bases: dict[Platform, BaseImage], context: Path
) -> None:
    text = f"FROM {bases[ARM64].name}\nRUN echo start {name}; while :; do :; done\n"
    with pytest.raises(BuildHangsError) as failure:
        await engines[name].build(request(context, ARM64, text, step_timeout=4.0), report=lambda event: None)
    assert failure.value.hang.spins
    assert "qemu-aarch64" in failure.value.reason
    assert failure.value.step is not None
    assert not running(f"echo start {name}; while")


@pytest.mark.parametrize("name", NAMES)
async def test_cancelling_ends_the_build_and_leaves_nothing(
    name: str, engines: dict[str, Engine], bases: dict[Platform, BaseImage], context: Path, host_podman: Storage, host_docker: Docker
) -> None:
    started = asyncio.Event()
    events: list[BuildEvent] = []

    def report(event: BuildEvent) -> None:
        events.append(event)
        if isinstance(event, LogLine) and event.text == "started":
            started.set()

    asked = request(context, AMD64, f"FROM {bases[AMD64].name}\nRUN echo started; exec sleep 12345\n")
    task = asyncio.create_task(engines[name].build(asked, report=report))
    await asyncio.wait_for(started.wait(), 60)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    for _ in range(50):
        if not running("sleep\x0012345"):
            break
        await asyncio.sleep(0.1)
    assert not running("sleep\x0012345")
    assert not host_podman.buildah("containers", "--all", "--quiet").text.split()
    assert "quarterdeck.invalid" not in host_docker("images", "--format={{.Repository}}").text
    assert StepState.CANCELLED in ends(events).values()
    assert not (context.parent / "image.tar").exists()


@pytest.mark.parametrize("name", ["buildah", "podman"])
async def test_a_build_that_is_cancelled_between_steps_leaves_no_container(
    name: str, engines: dict[str, Engine], bases: dict[Platform, BaseImage], context: Path, host_podman: Storage
) -> None:
    begun = asyncio.Event()
    events: list[BuildEvent] = []

    def report(event: BuildEvent) -> None:
        events.append(event)
        if isinstance(event, StepEvent) and event.step.text.startswith("COPY"):
            begun.set()

    asked = request(context, AMD64, f"FROM {bases[AMD64].name}\nCOPY file /{name}\nRUN echo much; sleep 1\n", no_cache=True)
    task = asyncio.create_task(engines[name].build(asked, report=report))
    await asyncio.wait_for(begun.wait(), 60)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    # Another buildah on this host forbids removing what may be its own; then it is said.
    told = any(isinstance(event, Message) and "may have been left" in event.text for event in events)
    assert told or not host_podman.buildah("containers", "--all", "--quiet").text.split()
    host_podman.buildah("rm", "--all")


async def test_engines_are_found_with_their_versions(host_docker: Docker, host_podman: Storage) -> None:
    found = await find_engines(Endpoint(environment={**host_docker.env, **host_podman.env}))
    versions = {engine.name: engine.version for engine in found.engines}
    assert versions[EngineName.BUILDAH] == run(["buildah", "--version"]).text.split()[2]
    assert versions[EngineName.PODMAN] == run(["podman", "--version"]).text.split()[2]
    assert EngineName.DOCKER in versions or EngineName.BUILDX in versions
    assert set(versions) | set(found.absent) == {EngineName.BUILDAH, EngineName.PODMAN, EngineName.DOCKER, EngineName.BUILDX}


async def test_engines_of_an_endpoint_that_is_down_are_absent_with_a_reason() -> None:
    found = await find_engines(Endpoint(environment={"DOCKER_HOST": "unix:///nonexistent.sock"}))
    assert EngineName.DOCKER not in {engine.name for engine in found.engines}
    assert found.absent[EngineName.DOCKER]


FEATURES = {
    "heredoc": "RUN <<X\necho hi\nX\n",
    "mount": "RUN --mount=type=tmpfs,target=/c true\n",
    "chmod": "COPY --chmod=644 file /b\n",
    "link": "COPY --link file /b\n",
    "parents": "COPY --parents file /b\n",
    "exclude": "COPY --exclude=x file /b\n",
    "network": "RUN --network=none true\n",
    "substitution": "ARG A=bb\nENV B=${A#b}\n",
}


@pytest.mark.parametrize("name", ["buildah", "docker"])
@pytest.mark.parametrize("feature", FEATURES)
async def test_the_table_of_capabilities_says_what_the_engine_does(
    feature: str, name: str, engines: dict[str, Engine], bases: dict[Platform, BaseImage], context: Path
) -> None:
    text = f"FROM {bases[AMD64].name}\n{FEATURES[feature]}"
    asked = request(context, AMD64, text)
    expected = not lacking(engines[name], needs(parse(text), asked))
    try:
        await engines[name].build(asked, report=lambda event: None)
    except BuildFailedError:
        assert not expected
    else:
        assert expected


async def test_the_engine_that_can_is_chosen(engines: dict[str, Engine], context: Path) -> None:
    text = "FROM scratch\nCOPY file /\n"
    asked = request(context, AMD64, text, annotations={"some": "annotation"})
    choice = choose_engine(list(engines.values()), needs(parse(text), asked))
    assert choice.engine.name is EngineName.BUILDAH
    assert "--annotation" in choice.reason
    await choice.engine.build(asked, report=lambda event: None)


def running(words: str) -> bool:
    """Whether a process with these words in its command line runs."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if words in Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8", errors="replace"):
                return True
        except OSError:
            continue
    return False
