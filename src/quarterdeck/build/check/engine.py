"""How each engine loads an image, runs a command in it, and forgets it again.

Sources: podman-run(1), docker run and buildah-run(1) of podman 4.3, Docker 20.10 and buildah 1.28, and what later ones kept.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

Words = list[str]


def _container(tag: str) -> str:
    return f"quarterdeck-smoke-{tag.rpartition(':')[2]}"


@dataclass(frozen=True)
class SmokeEngine:
    """An engine by its program's name; ``daemon``: containers run below a process that is there already, with its emulators.

    buildah runs commands without a runtime: that works where control groups and limits may not be set, and isolates less.
    """

    name: str
    daemon: bool = False

    def load(self, archive: Path, tag: str) -> list[Words]:
        """Return what makes the image of a docker-archive known as ``tag``."""
        if self.name == "buildah":
            return [["buildah", "pull", "--quiet", f"docker-archive:{archive}:{tag}"]]
        return [[self.name, "load", "--quiet", "--input", str(archive)]]

    def prepare(self, tag: str) -> list[Words]:
        """Return what is to be done before the command is run."""
        if self.name == "buildah":
            return [["buildah", "from", "--pull-never", "--name", _container(tag), tag]]
        return []

    def run(self, tag: str, platform: str, command: Sequence[str]) -> Words:
        """Return what runs the command."""
        if self.name == "buildah":
            return ["buildah", "run", _container(tag), "--", *command]
        wanted = ["--platform", platform] if self.name == "docker" else ["--pull=never"]
        begin = [self.name, "run", "--rm", "--network=none", *wanted, f"--name={_container(tag)}"]
        return [*begin, f"--entrypoint={command[0]}", tag, *command[1:]]

    def clean(self, tag: str) -> list[Words]:
        """Return what removes all that the others left."""
        if self.name == "buildah":
            return [["buildah", "rm", _container(tag)], ["buildah", "rmi", tag]]
        return [[self.name, "rm", "--force", _container(tag)], [self.name, "rmi", "--force", tag]]

    @property
    def env(self) -> Mapping[str, str]:
        """What comes into its environment; buildah-run(1)."""
        return {"BUILDAH_ISOLATION": "chroot"} if self.name == "buildah" else {}

    def inside_namespace(self) -> Mapping[str, str]:
        """Return the environment in which it uses the caller's own storage as root of a user namespace; podman-unshare(1)."""
        if os.geteuid() == 0:
            return {}
        return {"_CONTAINERS_USERNS_CONFIGURED": "done", "_CONTAINERS_ROOTLESS_UID": str(os.getuid())}


ENGINES = {engine.name: engine for engine in (SmokeEngine("podman"), SmokeEngine("docker", daemon=True), SmokeEngine("buildah"))}
"""In the order in which they are tried."""
