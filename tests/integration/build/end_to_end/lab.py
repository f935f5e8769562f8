"""``qd build`` as its users call it, with one engine, a folder of its own and Debian's images for two platforms and for cross-compiling."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.engines.base import BaseImage, base_image
from tests.engines.docker import Docker
from tests.engines.podman import Storage

from quarterdeck.build.platform import Platform
from quarterdeck.core.arch import host_arch
from quarterdeck.core.process import Completed, find, run

HOST = Platform.of_host()
FOREIGN = Platform.parse("linux/amd64" if host_arch().name == "aarch64" else "linux/arm64")
RISCV = Platform.parse("linux/riscv64")
BOTH = f"{HOST},{FOREIGN}"
DEBIAN_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
_QD = (sys.executable, "-m", "quarterdeck")


@dataclass(frozen=True)
class Images:
    """Names of base images that the engine knows: Debian by platform, and one with cross compilers for this host."""

    debian: Mapping[Platform, str]
    cross: str
    tiny: str

    def fill(self, text: str) -> str:
        """Return a Dockerfile with ``@DEBIAN@`` (the stages ``debian-ARCH``), ``@CROSS@`` and ``@TINY@`` filled in."""
        stages = "".join(f"FROM {name} AS debian-{platform.architecture}\n" for platform, name in self.debian.items())
        return text.replace("@DEBIAN@\n", stages).replace("@CROSS@", self.cross).replace("@TINY@", self.tiny)


@dataclass(frozen=True)
class Lab:
    """A context, the engine to build with, and what the command has in its environment."""

    folder: Path
    engine: str
    images: Images
    env: Mapping[str, str]
    options: tuple[str, ...] = ()
    home: Path = field(default=Path())

    def dockerfile(self, text: str) -> None:
        """Write the Dockerfile, with the names of base images filled in."""
        (self.folder / "Dockerfile").write_text(self.images.fill(text), encoding="utf-8")

    def qd(self, *words: str | Path, timeout: float = 600, env: Mapping[str, str] | None = None) -> Completed:
        """Run ``qd WORDS`` in the context, with ``env`` laid over the lab's."""
        return run([*_QD, *words], env={**self.env, **(env or {})}, cwd=self.folder, check=False, timeout=timeout)

    def build(self, *words: str | Path, env: Mapping[str, str] | None = None, timeout: float = 600) -> Completed:
        """Run ``qd build``."""
        return self.qd("build", f"--engine={self.engine}", *self.options, *words, env=env, timeout=timeout)

    def fails(self, *words: str | Path, env: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Run a ``qd build`` that fails and return its error; the exit status is the error's own."""
        done = self.build("--progress=json", *words, env=env)
        error: dict[str, Any] = json.loads(done.stderr.splitlines()[-1])
        assert error["type"] == "error"
        assert done.returncode == error["exit_code"] != 0
        return error

    def plan(self, *words: str) -> dict[str, Any]:
        """Return ``qd plan --json``."""
        done = self.qd("plan", "--json", *words)
        assert done.returncode == 0, done.stderr.decode()
        plan: dict[str, Any] = json.loads(done.stdout)
        return plan


def cross_image() -> BaseImage:
    """Return Debian for this host with cross compilers of C for the foreign platform and for riscv64."""
    names = ("aarch64" if FOREIGN.architecture == "arm64" else "x86-64", "riscv64")
    debian = {"aarch64": "arm64", "x86-64": "amd64", "riscv64": "riscv64"}
    packages = [package for name in names for package in (f"gcc-{name}-linux-gnu", f"libc6-dev-{debian[name]}-cross")]
    return base_image(host_arch().name, packages=tuple(packages))


def debian_images() -> dict[Platform, BaseImage]:
    """Return Debian for this host and for the foreign platform."""
    return {platform: base_image(platform.arch.name) for platform in (HOST, FOREIGN) if platform.arch}


def tiny_context(folder: Path) -> Path:
    """Write the context of an image for this host with a shell and little else."""
    busybox = find("busybox")
    assert busybox is not None, "busybox is not installed: 'make setup' installs what tests need"
    folder.mkdir()
    (folder / "busybox").write_bytes(Path(busybox).read_bytes())
    (folder / "busybox").chmod(0o755)
    (folder / "Dockerfile").write_text('FROM scratch\nCOPY busybox /bin/\nRUN ["/bin/busybox", "--install", "/bin"]\nENV PATH=/bin\n')
    return folder


def load_into_podman(storage: Storage, folder: Path) -> Images:
    """Give podman and buildah the base images."""
    debian, cross = debian_images(), cross_image()
    for image in (*debian.values(), cross):
        storage.load(image.archive)
    storage.buildah("build", "--quiet", "--tag=localhost/tiny", tiny_context(folder / "tiny"))
    return Images({platform: image.name for platform, image in debian.items()}, cross.name, "localhost/tiny")


def load_into_docker(docker: Docker, folder: Path) -> Images:
    """Give Docker the base images."""
    debian, cross = debian_images(), cross_image()
    for image in (*debian.values(), cross):
        docker.load(image.archive)
    words: list[str | Path] = ["docker", "build", "--quiet", "--network=host", "--tag=localhost/tiny", tiny_context(folder / "tiny")]
    run(words, env={**docker.env, "PATH": DEBIAN_PATH, "DOCKER_BUILDKIT": "1"}, timeout=100)
    return Images({platform: image.name for platform, image in debian.items()}, cross.name, "localhost/tiny")
