"""``qd build`` as its users call it: real engines, an emulated platform, a real registry."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.engines.base import base_image
from tests.engines.podman import Storage
from tests.engines.registry import Registry

from quarterdeck.build.oci.blobs import read_document
from quarterdeck.build.oci.open_image import open_image
from quarterdeck.build.platform import Platform
from quarterdeck.core.arch import host_arch
from quarterdeck.core.process import Completed, run

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

QD = [sys.executable, "-m", "quarterdeck"]
HOST = Platform.of_host()
FOREIGN = Platform.parse("linux/amd64" if host_arch().name == "aarch64" else "linux/arm64")
BOTH = f"{HOST},{FOREIGN}"
RUNS = "ARG BASE\nFROM $BASE\nRUN uname -m > /machine && dpkg --print-architecture >> /machine\n"


class Builds:
    """``qd build`` in a folder, with podman and buildah that know a Debian for two platforms under one name each."""

    def __init__(self, folder: Path, storage: Storage, bases: dict[Platform, str]) -> None:
        self.folder = folder
        self.storage = storage
        self.bases = bases
        self.env = {
            **storage.env,
            "QUARTERDECK_HOME": str(folder / "home"),
            "DOCKER_HOST": "unix:///nowhere",
            "TMPDIR": str(folder / "tmp"),
        }
        (folder / "tmp").mkdir()

    def dockerfile(self, text: str) -> None:
        """Write a Dockerfile; $BASE in FROM becomes the Debian of the target platform."""
        arguments = "".join(f"FROM {self.bases[one]} AS base-{one.architecture}\n" for one in (HOST, FOREIGN))
        text = text.replace("ARG BASE\nFROM $BASE\n", f"ARG TARGETARCH\n{arguments}FROM base-${{TARGETARCH}}\n")
        (self.folder / "Dockerfile").write_text(text)

    def qd(self, *words: str | Path, timeout: float = 600) -> Completed:
        return run([*QD, *words], env=self.env, cwd=self.folder, check=False, timeout=timeout)

    def build(self, *words: str | Path) -> Completed:
        return self.qd("build", "--engine", "buildah", *words)


@pytest.fixture(scope="module")
def bases(host_podman: Storage) -> dict[Platform, str]:
    if not Path(f"/proc/sys/fs/binfmt_misc/qemu-{FOREIGN.arch.user if FOREIGN.arch else ''}").exists():
        pytest.skip(f"no emulator for {FOREIGN} is registered on this host")
    images = {platform: base_image(platform.arch.name) for platform in (HOST, FOREIGN) if platform.arch}
    for image in images.values():
        host_podman.load(image.archive)
    return {platform: image.name for platform, image in images.items()}


@pytest.fixture
def builds(tmp_path: Path, host_podman: Storage, bases: dict[Platform, str]) -> Iterator[Builds]:
    yield Builds(tmp_path, host_podman, bases)
    shutil.rmtree(tmp_path)


def test_two_platforms_are_built_checked_pushed_and_found_by_digest(builds: Builds, loopback_registry: Registry) -> None:
    builds.dockerfile(RUNS)
    name = loopback_registry.name("app:1")
    done = builds.build("--platform", BOTH, "-t", name, "--push", "--metadata-file", "meta.json", "--iidfile", "iid")
    assert done.returncode == 0, done.stderr.decode()
    meta = json.loads((builds.folder / "meta.json").read_bytes())
    assert done.text.strip() == f"pushed {name}@{meta['containerimage.digest']}"
    platforms = meta["quarterdeck.platforms"]
    assert {one: platforms[one]["emulated"] for one in platforms} == {str(HOST): False, str(FOREIGN): True}
    raw = run(["skopeo", "inspect", "--raw", "--tls-verify=false", f"docker://{name}"], env=builds.env).stdout
    listed = {f"{one['platform']['os']}/{one['platform']['architecture']}" for one in json.loads(raw)["manifests"]}
    assert listed == {str(HOST), str(FOREIGN)}
    assert (builds.folder / "iid").read_text() == meta["containerimage.descriptor"]["digest"]
    assert builds.qd("image", "check", name, "--platform", BOTH).returncode == 0


def test_an_image_that_nobody_gave_a_place_is_loaded_under_names_that_say_the_platform(builds: Builds) -> None:
    builds.dockerfile(RUNS)
    done = builds.build("--platform", BOTH, "-t", "localhost/loaded:1")
    assert done.returncode == 0, done.stderr.decode()
    names = {HOST: "localhost/loaded:1", FOREIGN: f"localhost/loaded:1-{FOREIGN.architecture}"}
    for platform, name in names.items():
        assert f"loaded {name} into podman, for {platform}" in done.text
        found = builds.storage.podman("image", "inspect", "--format={{.Architecture}}", name).text.strip()
        assert found == platform.architecture


def test_an_image_without_a_name_is_loaded_and_found_by_its_identifier(builds: Builds) -> None:
    builds.dockerfile("FROM scratch\nLABEL nobody=named\n")
    done = builds.build()
    assert done.returncode == 0, done.stderr.decode()
    identifier = done.text.split()[1]
    assert "named" in builds.storage.podman("image", "inspect", identifier).text


def test_a_dockerfile_from_a_pipe_is_read_once(builds: Builds) -> None:
    os.mkfifo(builds.folder / "pipe")
    words = [*QD, "build", "-q", "--engine", "buildah", "-f", "pipe", "-o", "image.tar"]
    child = subprocess.Popen(words, env={**os.environ, **builds.env}, cwd=builds.folder)
    (builds.folder / "pipe").write_text("FROM scratch\nLABEL a=b\n")
    assert child.wait(60) == 0


def test_a_registry_that_is_not_there_is_named_and_progress_ends_with_the_error(builds: Builds) -> None:
    builds.dockerfile("FROM scratch\nLABEL a=b\n")
    done = builds.build("-t", "127.0.0.1:1/app:1", "--push", "--progress", "json")
    last = json.loads(done.stderr.splitlines()[-1])
    assert (done.returncode, last["type"], last["key"]) == (6, "error", "registry-unreachable")


def test_a_full_disk_is_named(builds: Builds) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root mounts a small disk")
    builds.dockerfile("FROM scratch\nCOPY data /\n")
    (builds.folder / "data").write_bytes(os.urandom(2 << 20))
    assert builds.build("-o", "image.tar").returncode == 0
    run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", builds.folder / "tmp"])
    try:
        done = builds.build("--progress", "json", "-o", "image.tar")
    finally:
        run(["umount", "--lazy", builds.folder / "tmp"])
    assert (done.returncode, json.loads(done.stderr.splitlines()[-1])["key"]) == (3, "disk-full")


def test_a_program_for_another_platform_stops_the_image(builds: Builds) -> None:
    shutil.copy(shutil.which("busybox") or "/usr/bin/busybox", builds.folder / "tool")
    builds.dockerfile("FROM scratch\nCOPY tool /usr/bin/tool\n")
    done = builds.build("--platform", BOTH, "-o", "image.tar")
    assert done.returncode == 1
    assert f"{FOREIGN} usr/bin/tool" in done.stderr.decode()
    assert not (builds.folder / "image.tar").exists()
    assert builds.build("--platform", BOTH, "-o", "image.tar", "--no-check").returncode == 0
    with open_image(builds.folder / "image.tar") as layout:
        assert len(list(layout.source().manifests())) == 2


def test_a_step_that_fails_shows_its_words_and_delivers_nothing(builds: Builds) -> None:
    builds.dockerfile(f"{RUNS}RUN echo the last words; exit 3\n")
    done = builds.build("--platform", str(HOST), "-o", "image.tar")
    assert done.returncode == 6
    assert b"the last words" in done.stderr
    assert b"error: the build for" in done.stderr
    assert not (builds.folder / "image.tar").exists()


def test_emulation_that_is_forbidden_names_stage_and_line_before_anything_is_built(builds: Builds) -> None:
    builds.dockerfile(RUNS)
    done = builds.build("--platform", BOTH, "--emulation", "never", "-o", "image.tar")
    assert done.returncode == 2
    assert f"emulated as {FOREIGN}" in done.stderr.decode()
    assert "Dockerfile:" in done.stderr.decode()


def test_what_no_engine_can_do_is_named_before_the_build(builds: Builds) -> None:
    builds.dockerfile("FROM scratch\nRUN --security=insecure true\n")
    done = builds.qd("build", "-o", "image.tar")
    assert done.returncode == 6
    assert b"RUN --security" in done.stderr


def test_quiet_prints_the_digest_alone_and_what_follows_dashes_goes_to_the_engine(builds: Builds) -> None:
    builds.dockerfile("FROM scratch\nARG WORD=none\nLABEL word=$WORD\n")
    done = builds.build("-q", "-o", "image.tar", ".", "--", "--build-arg=WORD=there")
    assert (done.returncode, done.stderr) == (0, b"")
    with open_image(builds.folder / "image.tar") as layout:
        source = layout.source()
        assert done.text.strip() == source.root.digest
        assert b'"word":"there"' in read_document(source.blobs, source.manifest().config)


def test_a_dockerfile_from_standard_input_needs_no_folder(builds: Builds) -> None:
    done = run(
        [*QD, "build", "-q", "-o", "image.tar", "-"], env=builds.env, cwd=builds.folder, input=b"FROM scratch\nLABEL a=b\n", check=False
    )
    assert done.returncode == 0, done.stderr.decode()


def test_progress_can_be_read_by_programs(builds: Builds) -> None:
    builds.dockerfile("FROM scratch\nLABEL a=b\n")
    done = builds.build("--progress", "json", "--json", "-o", "image.tar")
    assert done.returncode == 0
    assert all(json.loads(line) for line in done.stderr.decode().splitlines())
    assert json.loads(done.stdout)["quarterdeck.platforms"][str(HOST)]["engine"] == "buildah"


def test_a_build_without_cache_leaves_the_base_images_alone(builds: Builds) -> None:
    builds.dockerfile(RUNS)
    assert builds.build("--no-cache", "-o", "image.tar").returncode == 0
    assert {
        builds.storage.buildah("inspect", "--type=image", "--format={{.FromImage}}", name).text.strip() for name in builds.bases.values()
    }


def test_earlier_builds_are_remembered_in_the_next_plan(builds: Builds) -> None:
    builds.dockerfile(f"{RUNS}RUN sleep 1\n")
    assert builds.build("--no-cache", "-o", "image.tar").returncode == 0
    plan = json.loads(builds.qd("plan", "--json").stdout)
    assert plan["platforms"][0]["estimated_seconds"] >= 1


def test_interrupting_stops_the_builds_and_leaves_nothing_running(builds: Builds) -> None:
    builds.dockerfile(f"{RUNS}RUN sleep 4711\n")
    with subprocess.Popen(
        [*QD, "build", "--engine", "buildah", "--progress", "plain", "-o", "image.tar"],
        env={**os.environ, **builds.env}, cwd=builds.folder, stderr=subprocess.PIPE, text=True,
    ) as child:  # fmt: skip
        assert child.stderr is not None
        for line in child.stderr:
            if "sleep 4711" in line:
                break
        time.sleep(1)
        child.send_signal(signal.SIGINT)
        rest = child.stderr.read()
        assert child.wait(60) == 130, rest
    assert run(["pgrep", "-f", "^sleep 4711"], check=False).stdout == b""
    assert builds.storage.buildah("containers", "--quiet").text == ""
    assert not (builds.folder / "image.tar").exists()
    assert list((builds.folder / "tmp").iterdir()) == []


@pytest.mark.parametrize(
    "first", ["FROM scratch", f"FROM --platform={FOREIGN} scratch AS other\nCOPY kept /\nFROM scratch\nCOPY --from=other kept /"]
)
def test_what_is_ignored_beside_the_dockerfile_stays_out_of_the_image(builds: Builds, first: str) -> None:
    for name, text in {
        "Special": f"{first}\nCOPY . /all/\n",
        "Special.dockerignore": "secret",
        ".dockerignore": "",
        "secret": "s",
        "kept": "k",
    }.items():
        (builds.folder / "context").mkdir(exist_ok=True)
        (builds.folder / "context" / name).write_text(text)
    done = builds.build("-f", "context/Special", "-o", "type=docker,dest=image.tar", "context")
    assert done.returncode == 0, done.stderr.decode()
    run(["tar", "-xf", "image.tar"], cwd=builds.folder)
    layers = json.loads((builds.folder / "manifest.json").read_bytes())[0]["Layers"]
    names = "".join(run(["tar", "-tf", layer], cwd=builds.folder).text for layer in layers)
    assert "all/kept" in names
    assert "all/secret" not in names
