"""The command that the patch writes, run by a shell and Go's own compiler."""

import os
import shutil
from pathlib import Path

import pytest
from tests.guests import shared_home

from quarterdeck.binfmt.elf import arch_of, read_header
from quarterdeck.build.advice import improve
from quarterdeck.build.dockerfile.model import Dockerfile
from quarterdeck.build.dockerfile.parser import parse
from quarterdeck.build.platform import Platform
from quarterdeck.build.stages.model import StageGraph
from quarterdeck.build.stages.resolve import resolve_stages
from quarterdeck.core.process import run

GO = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin:/usr/lib/go/bin")
pytestmark = [pytest.mark.integration, pytest.mark.timeout(600), pytest.mark.skipif(GO is None, reason="Go is not installed")]

PLATFORMS = tuple(map(Platform.parse, ("linux/amd64", "linux/arm64", "linux/arm/v7", "linux/riscv64")))
TEXT = """\
FROM golang:1.24-alpine AS b
WORKDIR /src
COPY . .
RUN CGO_ENABLED=0 go build -o hello .
FROM scratch
COPY --from=b /src/hello /
"""


def graphs(dockerfile: Dockerfile) -> dict[Platform, StageGraph]:
    return {one: resolve_stages(dockerfile, target=one, build=Platform("linux", "amd64"), arguments={}) for one in PLATFORMS}


@pytest.mark.parametrize("platform", PLATFORMS, ids=str)
def test_the_command_compiles_for_the_platform_that_the_variables_name(tmp_path: Path, platform: Platform):
    command = next(one.text for one in improve(parse(TEXT), graphs).instructions if one.keyword == "RUN")
    (tmp_path / "main.go").write_text('package main\n\nfunc main() { println("hello") }\n')
    (tmp_path / "go.mod").write_text("module hello\n\ngo 1.19\n")
    assert GO is not None
    target = {"TARGETOS": platform.os, "TARGETARCH": platform.architecture, "TARGETVARIANT": platform.variant}
    # The compiler that is there is meant, whatever go.mod says, and nothing is fetched.
    own = {
        "PATH": f"{Path(GO).parent}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "GOCACHE": str(shared_home() / "go-build"),
        "GOTOOLCHAIN": "local",
        "GOFLAGS": "-mod=mod",
        "GOPROXY": "off",
    }
    run(["sh", "-c", command], env={**own, **target}, cwd=tmp_path, timeout=300)
    arch = arch_of(read_header((tmp_path / "hello").read_bytes()[:64]))
    assert arch is not None
    assert arch.oci == str(platform)
