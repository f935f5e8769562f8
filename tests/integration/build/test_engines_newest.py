"""The newest BuildKit through buildx builds real images, and says what it does as JSON."""

import asyncio
import os
import tarfile
from pathlib import Path

import pytest
from tests.engines.base import BaseImage, base_image
from tests.engines.docker import Docker
from tests.engines.newest import Buildkit, add_plugins
from tests.engines.podman import Storage

from quarterdeck.build.dockerfile.parser import parse
from quarterdeck.build.engines.buildx import BuildxEngine
from quarterdeck.build.engines.choice import choose_engine
from quarterdeck.build.engines.engine import Endpoint, Engine
from quarterdeck.build.engines.events import BuildEvent, LogLine, StepEvent, StepState
from quarterdeck.build.engines.failure import BuildFailedError, BuildHangsError
from quarterdeck.build.engines.find import find_engines
from quarterdeck.build.engines.needs import needs
from quarterdeck.build.engines.request import ArchiveFormat, BuildRequest
from quarterdeck.build.engines.session import parse_object
from quarterdeck.build.nodes.model import EngineName
from quarterdeck.build.platform import Platform

pytestmark = [pytest.mark.engines, pytest.mark.timeout(900)]

AMD64 = Platform.parse("linux/amd64")
ARM64 = Platform.parse("linux/arm64")
LANGUAGE = """\
# everything that buildah 1.28 and Docker 20.10 lack
FROM base AS first
RUN <<X
echo heredoc >/heredoc
X
RUN --network=none true
FROM scratch
COPY --link --from=first /heredoc /
COPY --parents --exclude=other folder /
"""


@pytest.fixture(scope="session")
def layouts(host_podman: Storage, tmp_path_factory: pytest.TempPathFactory) -> dict[Platform, str]:
    """A small Debian for each platform, as a build context."""
    folder = tmp_path_factory.mktemp("layouts")
    found = {}
    for platform, arch in ((AMD64, "x86_64"), (ARM64, "aarch64")):
        image: BaseImage = base_image(arch)
        host_podman.load(image.archive)
        host_podman.buildah("push", "--quiet", image.name, f"oci:{folder}/{arch}:13")
        found[platform] = f"oci-layout://{folder}/{arch}:13"
    return found


@pytest.fixture
async def buildx(host_buildkitd: Buildkit, monkeypatch: pytest.MonkeyPatch) -> Engine:
    monkeypatch.setenv("PATH", host_buildkitd.folders)
    found = await find_engines(Endpoint(environment=host_buildkitd.env))
    return next(engine for engine in found.engines if engine.name is EngineName.BUILDX)


@pytest.fixture
def context(tmp_path: Path) -> Path:
    folder = tmp_path / "context"
    (folder / "folder").mkdir(parents=True)
    (folder / "folder/file").write_text("content\n", encoding="utf-8")
    return folder


def request(context: Path, platform: Platform, text: str, layouts: dict[Platform, str], **more: object) -> BuildRequest:
    given: dict[str, object] = {
        "context": str(context),
        "platform": platform,
        "destination": context.parent / "image.tar",
        "dockerfile_text": text,
        "build_contexts": {"base": layouts[platform]},
        "emulated": platform != Platform.of_host(),
        "provenance": "false",
        **more,
    }
    return BuildRequest(**given)  # type: ignore[arg-type]  # tests give what the field wants


def index(archive: Path) -> list[dict[str, object]]:
    with tarfile.open(archive) as tar:
        file = tar.extractfile("index.json")
        assert file is not None
        manifests: list[dict[str, object]] = parse_object(file.read())["manifests"]
        return manifests


@pytest.mark.parametrize("platform", [AMD64, ARM64], ids=str)
async def test_builds_what_older_engines_cannot(platform: Platform, buildx: Engine, layouts: dict[Platform, str], context: Path) -> None:
    asked = request(context, platform, LANGUAGE, layouts, annotations={"some": "annotation"})
    assert choose_engine([buildx], needs(parse(LANGUAGE), asked)).engine is buildx
    events: list[BuildEvent] = []
    result = await buildx.build(asked, report=events.append)
    assert result.format is ArchiveFormat.OCI
    assert result.digest == index(result.path)[0]["digest"]
    assert result.image_id.startswith("sha256:")
    assert result.metadata["containerimage.digest"] == result.digest
    ended = {event.step.stage: event for event in events if isinstance(event, StepEvent) and event.step.number}
    assert "first" in ended
    assert all(time.seconds is not None for time in result.steps)


async def test_attestations_stay_inside_the_archive(buildx: Engine, layouts: dict[Platform, str], context: Path) -> None:
    result = await buildx.build(request(context, AMD64, "FROM base\nRUN true\n", layouts, provenance="mode=max"), report=lambda event: None)
    assert result.digest == index(result.path)[0]["digest"]
    assert "image.index" in str(index(result.path)[0]["mediaType"])


async def test_what_was_built_before_is_cached(buildx: Engine, layouts: dict[Platform, str], context: Path) -> None:
    asked = request(context, AMD64, "FROM base\nRUN echo cached >/cached\n", layouts)
    await buildx.build(asked, report=lambda event: None)
    result = await buildx.build(asked, report=lambda event: None)
    assert next(time for time in result.steps if time.step.text.startswith("RUN")).state is StepState.CACHED


async def test_an_illegal_instruction_under_emulation_is_explained(buildx: Engine, layouts: dict[Platform, str], context: Path) -> None:
    asked = request(context, ARM64, "FROM base\nRUN echo before; sh -c 'kill -ILL $$'\n", layouts)
    with pytest.raises(BuildFailedError) as failure:
        await buildx.build(asked, report=lambda event: None)
    assert failure.value.key == "illegal-instruction"
    assert failure.value.evidence.status == 132
    assert "before" in failure.value.tail


async def test_a_registry_that_is_not_there_is_named(buildx: Engine, layouts: dict[Platform, str], context: Path) -> None:
    with pytest.raises(BuildFailedError) as failure:
        await buildx.build(request(context, AMD64, "FROM 127.0.0.1:1/nothing:here\n", layouts), report=lambda event: None)
    assert failure.value.key == "registry-unreachable"


async def test_a_spinning_emulator_is_ended_and_explained(buildx: Engine, layouts: dict[Platform, str], context: Path) -> None:
    asked = request(context, ARM64, "FROM base\nRUN echo start newest; while :; do :; done\n", layouts, step_timeout=5.0)
    with pytest.raises(BuildHangsError) as failure:
        await buildx.build(asked, report=lambda event: None)
    assert failure.value.hang.spins
    assert not await remains("start newest; while")


async def test_cancelling_ends_the_build(buildx: Engine, layouts: dict[Platform, str], context: Path) -> None:
    started = asyncio.Event()

    def report(event: BuildEvent) -> None:
        if isinstance(event, LogLine) and event.text == "started":
            started.set()

    asked = request(context, AMD64, "FROM base\nRUN echo started; exec sleep 23456\n", layouts)
    task = asyncio.create_task(buildx.build(asked, report=report))
    await asyncio.wait_for(started.wait(), 60)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not await remains("sleep\x0023456")
    assert not (context.parent / "image.tar").exists()


async def test_the_newest_docker_engine_exports_from_its_store_of_containerd(
    newest_host_docker: Docker, layouts: dict[Platform, str], context: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", newest_host_docker.folders)
    found = await find_engines(Endpoint(environment=newest_host_docker.env))
    engine = next(engine for engine in found.engines if engine.name is EngineName.BUILDX)
    result = await engine.build(
        request(context, ARM64, "FROM base\nRUN uname -m >/machine\n", layouts, network="host"), report=lambda event: None
    )
    assert result.format is ArchiveFormat.OCI
    assert index(result.path)


async def test_an_engine_that_cannot_export_gives_the_image_out_of_its_store(
    built_engines: None, host_docker: Docker, context: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_plugins(tmp_path / "client")
    monkeypatch.setenv("PATH", "/usr/bin:/bin")  # Debian's client, which the plugin makes one with buildx
    found = await find_engines(Endpoint(environment={**host_docker.env, "DOCKER_CONFIG": f"{tmp_path}/client"}))
    engine = next(engine for engine in found.engines if engine.name is EngineName.BUILDX)
    assert isinstance(engine, BuildxEngine)
    assert (engine.driver, engine.exports) == ("docker", False)
    text = "FROM scratch\nCOPY folder /\n"
    asked = request(context, ARM64, text, {ARM64: ""}, build_contexts={}, provenance=None)
    result = await engine.build(asked, report=lambda event: None)
    assert result.format is ArchiveFormat.DOCKER
    with tarfile.open(result.path) as tar:
        assert "manifest.json" in tar.getnames()
    assert "quarterdeck.invalid" not in host_docker("images", "--format={{.Repository}}").text


async def remains(words: str) -> bool:
    """Whether a process with these words is still there after a while: a daemon takes a moment to end a step."""
    for _ in range(50):
        if not any(words in _command(pid) for pid in os.listdir("/proc") if pid.isdigit()):
            return False
        await asyncio.sleep(0.1)
    return True


def _command(pid: str) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
