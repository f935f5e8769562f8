"""Builds that fail: each says what and where and how to go on, and leaves nothing half-made."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.engines.podman import Storage, storage
from tests.engines.registry import Registry
from tests.integration.build.end_to_end.lab import BOTH, FOREIGN, HOST, RISCV, Lab

from quarterdeck.binfmt.programs.build import build
from quarterdeck.binfmt.programs.probe import Probe
from quarterdeck.core.process import run

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]


@pytest.fixture(autouse=True)
def nothing_is_left(buildah: Lab, host_podman: Storage) -> Iterator[None]:
    """No name, no container and no file is there afterwards that was not before."""

    def traces() -> tuple[set[str], set[str]]:
        names = host_podman.podman("images", "--format={{.Repository}}:{{.Tag}}").text.split()
        return {name for name in names if "<none>" not in name}, set(host_podman.buildah("containers", "--all", "--quiet").text.split())

    before = traces()
    yield
    assert traces() == before
    assert list(Path(buildah.env["TMPDIR"]).iterdir()) == []
    assert not list(buildah.folder.glob("*.tar"))


def test_a_line_that_is_no_instruction(buildah: Lab) -> None:
    buildah.dockerfile("FROM @TINY@\nRUNS true\n")
    error = buildah.fails("-o", "image.tar")
    assert error["exit_code"] == 2
    assert "Dockerfile:2" in error["message"]
    assert "RUN" in error["hint"]


def test_a_stage_that_is_not_there(buildah: Lab) -> None:
    buildah.dockerfile("FROM @TINY@ AS build\nFROM scratch\nCOPY --from=biuld /bin/sh /\n")
    error = buildah.fails("-o", "image.tar")
    assert (error["exit_code"], error["key"]) == (6, "stage-missing")
    assert "COPY --from=biuld" in error["message"]
    assert "--from" in error["hint"]
    assert "did you mean the stage 'build'" in buildah.build("-o", "image.tar").stderr.decode()


def test_a_file_that_is_not_there(buildah: Lab) -> None:
    buildah.dockerfile("FROM @TINY@\nCOPY absent.txt /\n")
    error = buildah.fails("-o", "image.tar")
    assert (error["exit_code"], error["key"]) == (6, "file-missing")
    assert "COPY absent.txt" in error["message"]


def test_a_platform_that_is_fixed_in_from(buildah: Lab) -> None:
    buildah.dockerfile(f"FROM --platform={HOST} @TINY@\nRUN true\n")
    error = buildah.fails(f"--platform={FOREIGN}", "-o", "image.tar")
    assert (error["exit_code"], error["key"]) == (1, "image-wrong")
    assert f"{FOREIGN} bin/busybox" in error["reason"]


def test_a_command_that_fails(buildah: Lab) -> None:
    buildah.dockerfile("FROM @TINY@\nRUN echo these are the last words; exit 1\n")
    error = buildah.fails("-o", "image.tar")
    assert (error["exit_code"], error["key"], error["status"]) == (6, "build-failed", 1)
    assert "these are the last words" in error["tail"]
    assert "RUN echo" in error["step"]


def test_emulation_that_is_forbidden(buildah: Lab) -> None:
    buildah.dockerfile("@DEBIAN@\nARG TARGETARCH\nFROM debian-${TARGETARCH}\nRUN true\n")
    error = buildah.fails(f"--platform={BOTH}", "--emulation=never", "-o", "image.tar")
    assert error["exit_code"] == 2
    assert str(FOREIGN) in error["message"] + error["reason"]
    assert "qd nodes add" in error["hint"]


def test_a_base_image_without_the_platform(buildah: Lab, host_podman: Storage, loopback_registry: Registry) -> None:
    base = loopback_registry.name("one-platform:1")
    host_podman.buildah("push", "--quiet", "localhost/tiny", f"docker://{base}")
    buildah.dockerfile(f"FROM {base}\nCOPY Dockerfile /\n")
    error = buildah.fails(f"--platform={RISCV}", "-o", "image.tar")
    assert error["key"] in ("platform-missing", "image-wrong")
    host_podman.podman("rmi", base, check=False)


def test_a_program_that_nobody_runs(buildah: Lab) -> None:
    assert RISCV.arch is not None
    (buildah.folder / "foreign").write_bytes(build(RISCV.arch, Probe.EXEC))
    (buildah.folder / "foreign").chmod(0o755)
    buildah.dockerfile("FROM @TINY@\nCOPY foreign /foreign\nRUN /foreign\n")
    error = buildah.fails("-o", "image.tar")
    assert (error["exit_code"], error["key"]) == (6, "exec-format-error")
    assert "RUN /foreign" in error["message"]
    assert "qd binfmt" in error["hint"]


def test_a_step_that_hangs(buildah: Lab) -> None:
    buildah.dockerfile("FROM @TINY@\nRUN sleep 3456\n")
    error = buildah.fails("--step-timeout=3", "-o", "image.tar")
    assert (error["exit_code"], error["key"]) == (7, "build-hangs")
    assert "RUN sleep 3456" in error["message"]
    assert "--step-timeout" in error["hint"]


@pytest.mark.parametrize(("given", "status"), [((), 6), (("--secret=id=token,src=absent",), 2), (("--secret=id=token,env=ABSENT",), 2)])
def test_a_secret_that_is_not_there(buildah: Lab, given: tuple[str, ...], status: int) -> None:
    buildah.dockerfile("FROM @TINY@\nRUN --mount=type=secret,id=token,required=true cat /run/secrets/token\n")
    error = buildah.fails(*given, "-o", "image.tar")
    assert (error["exit_code"], error["key"]) == (status, "secret-missing")
    assert "token" in error["message"]


@pytest.fixture
def small(buildah: Lab, tmp_path: Path) -> Iterator[Lab]:
    """A lab whose engine keeps its images on a disk of 8 MiB; the archive of the image has room."""
    if os.geteuid() != 0:
        pytest.skip("only root mounts a small disk")
    disk = tmp_path / "disk"
    disk.mkdir()
    run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", disk])
    try:
        with storage(disk) as engine:
            yield replace(buildah, env={**buildah.env, **engine.env, "TMPDIR": buildah.env["TMPDIR"]})
            assert engine.buildah("containers", "--all", "--quiet").text == ""
    finally:
        run(["umount", "--lazy", disk])


@pytest.mark.parametrize("text", ["FROM scratch\nCOPY large /\n", "FROM scratch\nADD half /\nADD half /again\n"])
def test_a_full_disk_of_the_engine(small: Lab, text: str) -> None:
    (small.folder / "large").write_bytes(os.urandom(12 << 20))
    (small.folder / "half").write_bytes(os.urandom(5 << 20))
    small.dockerfile(text)
    error = small.fails("-o", "image.tar")
    assert error["key"] in ("no-space", "disk-full"), error
    assert "COPY" in error["message"] or "ADD" in error["message"], error


def test_a_build_without_network_has_none_also_where_the_environment_says_chroot(buildah: Lab) -> None:
    buildah.dockerfile(
        "FROM @TINY@\nRUN mkdir -p /sys && mount -t sysfs none /sys 2>/dev/null; cat /proc/net/dev; ! grep -v -e lo: -e '|' /proc/net/dev\n"
    )
    done = buildah.build("--network=none", "--progress=plain", "-o", "none.tar")
    (buildah.folder / "none.tar").unlink(missing_ok=True)
    assert buildah.env["BUILDAH_ISOLATION"] == "chroot"
    assert done.returncode == 0, done.stderr.decode()
