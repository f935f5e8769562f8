"""docker, podman and buildah, as far as building an image goes. A part of scripts/build_image.py."""

from __future__ import annotations

import asyncio
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path

from quarterdeck.core.arch import host_arch
from quarterdeck.core.process import Argv, Completed, find, run, run_async
from quarterdeck.errors import HostError, QuarterdeckError

_PULL_SECONDS = 120.0
_BUILD_SECONDS = 3600.0
_ASK_SECONDS = 30.0
_SECONDS = 300.0


class Engine(ABC):
    """One engine; images are in the storage that its environment names."""

    name: str

    @abstractmethod
    def obstacle(self) -> str:
        """Return why it cannot be used here, empty when it can."""

    @abstractmethod
    def load(self, archive: Path) -> None:
        """Take the image of an archive."""

    @abstractmethod
    def save(self, tag: str, archive: Path) -> None:
        """Write an image to an archive."""

    @abstractmethod
    def build(self, context: Path, tag: str, *, arguments: Mapping[str, str], platform: str) -> None:
        """Build ``context``; its output is shown on standard error."""

    def obtain(self, image: str) -> str:
        """Pull ``image`` if it is not there; return why that failed, empty when it is there now."""
        if self._there(image):
            return ""
        try:
            run([self.name, "pull", "--quiet", image], timeout=_PULL_SECONDS)
        except QuarterdeckError as error:
            return (error.reason or error.message).splitlines()[-1]
        return ""

    @abstractmethod
    def _there(self, image: str) -> bool: ...

    def _succeeds(self, *words: str) -> bool:
        try:
            return run([self.name, *words], check=False, timeout=_ASK_SECONDS).returncode == 0
        except QuarterdeckError:
            return False

    def _build(self, words: list[str], arguments: Mapping[str, str], platform: str) -> list[str]:
        # Only BuildKit knows by itself what it builds on; podman and buildah were seen not to.
        known = {"BUILDPLATFORM": host_arch().oci, **arguments}
        given = [f"--build-arg={name}={value}" for name, value in known.items()]
        return [self.name, "build", "--network=host", *words, *given, f"--platform={platform}"]


class Docker(Engine):
    """Docker Engine, by BuildKit where its client has it."""

    name = "docker"

    def obstacle(self) -> str:
        """Return why it cannot be used here."""
        return "" if self._succeeds("version") else "no Docker Engine answers"

    def load(self, archive: Path) -> None:
        """Take the image of an archive."""
        run([self.name, "load", "--quiet", "--input", archive], timeout=_SECONDS)

    def save(self, tag: str, archive: Path) -> None:
        """Write an image to an archive."""
        run([self.name, "save", "--output", archive, tag], timeout=_SECONDS)

    def build(self, context: Path, tag: str, *, arguments: Mapping[str, str], platform: str) -> None:
        """Build ``context``; for another architecture only with BuildKit."""
        words = [f"--file={context}/Containerfile", f"--tag={tag}"]
        if self._has_buildkit():
            _show([*self._build([*words, "--progress=plain"], arguments, platform), context], env={"DOCKER_BUILDKIT": "1"})
            return
        if platform != host_arch().oci:
            hint = "apt install docker-buildx, or take podman or buildah: --engine"
            raise HostError(
                "no-buildkit", "this Docker client builds for its own architecture alone", reason="it has no BuildKit", hint=hint
            )
        # The builder before BuildKit has no variables of its own.
        more = {**arguments, "TARGETARCH": platform.split("/")[1]}
        _show([*self._build(words, more, platform), context], env={"DOCKER_BUILDKIT": "0"})

    def _has_buildkit(self) -> bool:
        """Whether there is BuildKit: inside Docker up to 22, for later ones in the client's plugin buildx."""
        version = run([self.name, "version", "--format", "{{.Client.Version}}"], timeout=_ASK_SECONDS).text
        return int(version.partition(".")[0]) < 23 or self._succeeds("buildx", "version")

    def _there(self, image: str) -> bool:
        return self._succeeds("image", "inspect", image)


class Podman(Engine):
    """podman; it has the options of docker and the builder of buildah."""

    name = "podman"

    def obstacle(self) -> str:
        """Return why it cannot be used here."""
        return "" if self._succeeds("info") else "podman does not work here"

    def load(self, archive: Path) -> None:
        """Take the image of an archive."""
        run([self.name, "load", "--quiet", "--input", archive], timeout=_SECONDS)

    def save(self, tag: str, archive: Path) -> None:
        """Write an image to an archive."""
        archive.unlink(missing_ok=True)
        run([self.name, "save", "--quiet", "--format=docker-archive", "--output", archive, tag], timeout=_SECONDS)

    def build(self, context: Path, tag: str, *, arguments: Mapping[str, str], platform: str) -> None:
        """Build ``context``."""
        # What runs in the build unpacks packages: chroot is enough, and works inside containers and without cgroups too.
        # Only the format of Docker has health checks.
        words = ["--format=docker", "--isolation=chroot", "--layers", f"--file={context}/Containerfile", f"--tag={tag}"]
        _show([*self._build(words, arguments, platform), context])

    def _there(self, image: str) -> bool:
        return self._succeeds("image", "exists", image)


class Buildah(Podman):
    """buildah, which knows archives by another spelling."""

    name = "buildah"

    def obstacle(self) -> str:
        """Return why it cannot be used here."""
        return "" if self._succeeds("info") else "buildah does not work here"

    def load(self, archive: Path) -> None:
        """Take the image of an archive."""
        run([self.name, "pull", "--quiet", f"docker-archive:{archive}"], timeout=_SECONDS)

    def save(self, tag: str, archive: Path) -> None:
        """Write an image to an archive."""
        archive.unlink(missing_ok=True)
        run([self.name, "push", "--quiet", tag, f"docker-archive:{archive}:{tag}"], timeout=_SECONDS)

    def _there(self, image: str) -> bool:
        return self._succeeds("inspect", "--type=image", image)


_ENGINES = (Docker, Podman, Buildah)
NAMES = tuple(engine.name for engine in _ENGINES)


def find_engine(name: str | None = None) -> Engine:
    """Return the engine called ``name``, else the first that works.

    Raises:
        HostError: there is none; the reason says why for each.
    """
    reasons = []
    for engine in (kind() for kind in _ENGINES if name in (None, kind.name)):
        reason = engine.obstacle() if find(engine.name) else f"{engine.name} is not installed"
        if not reason:
            return engine
        reasons.append(reason)
    raise HostError("no-engine", "the image cannot be built here", reason="; ".join(reasons), hint="apt install buildah, or start docker")


def _show(argv: Argv, *, env: Mapping[str, str] | None = None) -> Completed:
    return asyncio.run(run_async(argv, on_line=_print, timeout=_BUILD_SECONDS, env=env))


def _print(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
