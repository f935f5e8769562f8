"""Patches are proved by builds: of C by Debian's cross compiler, in buildah and in Docker's own BuildKit."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.engines.base import BaseImage
from tests.engines.docker import Docker, program
from tests.engines.podman import Storage

from quarterdeck.binfmt.elf import arch_of, read_header
from quarterdeck.build.advice import advise, improve
from quarterdeck.build.dockerfile.model import Dockerfile
from quarterdeck.build.dockerfile.parser import parse
from quarterdeck.build.platform import Platform
from quarterdeck.build.stages.model import StageGraph
from quarterdeck.build.stages.resolve import resolve_stages
from quarterdeck.core.process import Completed, run

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

PLATFORMS = ("linux/amd64", "linux/arm64")
# A name of its own: one with an architecture in it rightly raises doubts.
BASE = "localhost/debian-base"
C_PROGRAM = f"""\
FROM {BASE} AS build
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY hello.c .
# the program itself
RUN gcc -O2 -static -o hello hello.c && \\
    strip hello

FROM scratch
COPY --from=build /src/hello /hello
"""
HELLO = '#include <stdio.h>\nint main(void) { puts("hello"); return 0; }\n'

Build = Callable[[str, Path], Completed]
"""Builds a folder for a platform into its folder ``out``."""


def graphs(dockerfile: Dockerfile) -> dict[Platform, StageGraph]:
    build = Platform.of_host()
    return {one: resolve_stages(dockerfile, target=one, build=build, arguments={}) for one in map(Platform.parse, PLATFORMS)}


@pytest.fixture(params=["buildah", "docker"], scope="module")
def build(request: pytest.FixtureRequest, debian: BaseImage) -> Iterator[Build]:
    """An engine that has the base image."""
    options = ["--pull=false", "--network=host"]
    if request.param == "buildah":
        podman: Storage = request.getfixturevalue("host_podman")
        podman.load(debian.archive)
        podman.podman("tag", debian.name, BASE)
        # Debian 12's buildah knows the target's variables and not the builder's.
        own = ["--pull=never", f"--build-arg=BUILDPLATFORM={Platform.of_host()}"]

        def by_buildah(target: str, folder: Path) -> Completed:
            return podman.buildah(
                "build", f"--platform={target}", *own, f"--output=type=local,dest={folder}/out", folder, check=False, timeout=600
            )

        yield by_buildah
        return
    docker: Docker = request.getfixturevalue("host_docker")
    docker.load(debian.archive)
    docker("tag", debian.name, BASE)

    def by_docker(target: str, folder: Path) -> Completed:
        words = ["build", f"--platform={target}", *options, f"--output=type=local,dest={folder}/out", os.fspath(folder)]
        return run([program("docker", docker.folders), *words], env={**docker.env, "DOCKER_BUILDKIT": "1"}, check=False, timeout=600)

    yield by_docker


@pytest.mark.parametrize("target", PLATFORMS)
def test_a_patched_c_program_is_built_for_its_target_by_a_native_compiler(build: Build, tmp_path: Path, target: str):
    after = improve(parse(C_PROGRAM), graphs)
    assert "--platform=$BUILDPLATFORM" in after.text
    assert not advise(after, graphs(after))
    (tmp_path / "hello.c").write_text(HELLO)
    (tmp_path / "Dockerfile").write_bytes(after.text.encode())
    done = build(target, tmp_path)
    assert done.returncode == 0, f"{done.stdout!r} {done.stderr!r}"
    hello = tmp_path / "out/hello"
    arch = arch_of(read_header(hello.read_bytes()[:64]))
    assert arch is not None
    assert arch.oci == target
    if Platform.parse(target) == Platform.of_host():
        hello.chmod(0o755)
        assert run([os.fspath(hello)]).text == "hello\n"
