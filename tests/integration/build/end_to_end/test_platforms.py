"""Dockerfiles that cross-compile, and such that mix native, cross and emulated stages."""

import tarfile
from io import BytesIO
from pathlib import Path

import pytest
from tests.engines.docker import Docker
from tests.engines.registry import Registry
from tests.integration.build.end_to_end.lab import BOTH, FOREIGN, HOST, RISCV, Lab

from quarterdeck.binfmt.elf import arch_of, read_header
from quarterdeck.build.oci.merge import single
from quarterdeck.build.oci.open_image import open_image
from quarterdeck.build.platform import Platform
from quarterdeck.core.process import run

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

CROSS = """\
FROM --platform=$BUILDPLATFORM @CROSS@ AS build
ARG TARGETARCH
WORKDIR /src
COPY hello.c .
RUN case $TARGETARCH in arm64) cpu=aarch64 ;; amd64) cpu=x86-64 ;; *) cpu=$TARGETARCH ;; esac; \\
    "$cpu-linux-gnu-gcc" -O1 -static -o /hello hello.c

FROM scratch
COPY --from=build /hello /hello
CMD ["/hello"]
"""
MIXED = """\
FROM --platform=$BUILDPLATFORM @CROSS@ AS native
RUN uname -m >/made-by

FROM --platform=$BUILDPLATFORM @CROSS@ AS cross
ARG TARGETARCH
COPY hello.c .
RUN aarch64-linux-gnu-gcc --version >/dev/null; echo "for $TARGETARCH" >/made-for

@DEBIAN@
FROM debian-${TARGETARCH} AS emulated
RUN uname -m >/machine && dpkg --print-architecture >>/machine

FROM debian-${TARGETARCH}
COPY --from=native /made-by /
COPY --from=cross /made-for /
COPY --from=emulated /machine /
RUN cat /made-by /made-for /machine >/all
CMD ["cat", "/all"]
"""
HELLO = '#include <stdio.h>\nint main(void) { puts("hello"); return 0; }\n'


def modes(lab: Lab, *words: str) -> dict[str, set[str]]:
    """Return how the steps of each platform run, those that run no program left out."""
    plans = lab.plan(*words)["platforms"]
    return {one["platform"]: {step["mode"] for stage in one["stages"] for step in stage["steps"]} - {"free"} for one in plans}


def program(archive: Path, platform: Platform, name: str) -> bytes:
    """Return a file out of the layers of one platform of an image."""
    with open_image(archive) as layout:
        source = single(layout.source(), platform)
        for layer in source.manifest().layers:
            with source.blobs.open(layer.digest) as blob, tarfile.open(fileobj=BytesIO(blob.read())) as tar:
                if name in tar.getnames():
                    member = tar.extractfile(name)
                    assert member is not None
                    return member.read()
    raise AssertionError(f"{name} is not in the image for {platform}")


def test_c_is_cross_compiled_and_runs_on_each_platform(lab: Lab) -> None:
    lab.dockerfile(CROSS)
    (lab.folder / "hello.c").write_text(HELLO)
    platforms = f"{FOREIGN},{RISCV}"
    assert modes(lab, f"--platform={platforms}", "--emulation=never") == {str(FOREIGN): {"cross"}, str(RISCV): {"cross"}}
    done = lab.build(f"--platform={platforms}", "--emulation=never", "-o", "image.tar")
    assert done.returncode == 0, done.stderr.decode()
    for platform in (FOREIGN, RISCV):
        assert arch_of(read_header(program(lab.folder / "image.tar", platform, "hello"))) == platform.arch
    checked = lab.qd("image", "check", "image.tar", f"--platform={platforms}")
    assert checked.returncode == 0, checked.stderr.decode()
    assert lab.build(f"--platform={FOREIGN}", "--emulation=never", "-o", "foreign.tar").returncode == 0
    smoke = lab.qd("image", "check", "foreign.tar", "--engine=podman", "--smoke", "/hello")
    assert smoke.returncode == 0, smoke.stdout.decode() + smoke.stderr.decode()


def test_native_cross_and_emulated_stages_make_one_image(lab: Lab, host_docker: Docker, loopback_registry: Registry) -> None:
    # Above the first FROM it is not needed, and an old Docker makes it empty there; without it FROM of an old buildah does not know it.
    lab.dockerfile(("ARG TARGETARCH\n" if lab.engine == "docker" else "") + MIXED)
    (lab.folder / "hello.c").write_text(HELLO)
    name = loopback_registry.name(f"mixed-{lab.engine}:1")
    assert modes(lab, f"--platform={BOTH}") == {str(HOST): {"native"}, str(FOREIGN): {"cross", "emulated"}}
    done = lab.build(f"--platform={BOTH}", "-t", name, "--push")
    assert done.returncode == 0, done.stderr.decode()
    smoke = lab.qd("image", "check", name, f"--platform={BOTH}", "--engine=podman", "--smoke", "cat /all")
    assert smoke.returncode == 0, smoke.stdout.decode() + smoke.stderr.decode()
    digest = done.text.strip().rpartition("@")[2]
    run(
        ["skopeo", "copy", "--quiet", "--all", "--src-tls-verify=false", f"docker://{name.rpartition(':')[0]}@{digest}", "oci:pulled"],
        cwd=lab.folder,
    )
    index = run(["skopeo", "inspect", "--raw", "oci:pulled"], cwd=lab.folder).stdout
    assert {FOREIGN.architecture, HOST.architecture} <= set(index.decode().replace('"', " ").split())
    for platform in (HOST, FOREIGN) if lab.engine == "docker" else ():
        # By tag: an old Docker keeps one platform by the digest of an index, so that the second cannot be pulled by it.
        host_docker("pull", "--quiet", f"--platform={platform}", name)
        said = host_docker("run", "--rm", "--network=none", f"--platform={platform}", name).text
        assert platform.arch is not None
        assert platform.arch.name in said
