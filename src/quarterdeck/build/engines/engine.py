"""What every engine offers, and where one is reached."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from quarterdeck.build.engines.capability import Capability
from quarterdeck.build.engines.events import BuildReporter
from quarterdeck.build.engines.request import BuildRequest, BuildResult
from quarterdeck.build.nodes.model import EngineName


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """Where the programs of engines run and what they talk to; the default is this host.

    Attributes:
        environment: variables for them, such as ``DOCKER_HOST``.
        wrap: words before each of their commands, such as those that enter a namespace.
        docker: options of every ``docker`` command, such as ``--context NAME``.
        podman: options of every ``podman`` command, such as ``--url ssh://...``; buildah has no such thing.
        builder: the builder that buildx uses, empty for its current one.
        local: whether the builds run on this host, so that their emulators can be watched.
    """

    environment: Mapping[str, str] = field(default_factory=dict)
    wrap: tuple[str, ...] = ()
    docker: tuple[str, ...] = ()
    podman: tuple[str, ...] = ()
    builder: str = ""
    local: bool = True


class Engine(Protocol):
    """A program that builds images, of one version, at one endpoint."""

    @property
    def name(self) -> EngineName: ...

    @property
    def version(self) -> str: ...

    @property
    def capabilities(self) -> frozenset[Capability]: ...

    async def build(self, request: BuildRequest, *, report: BuildReporter, environment: Mapping[str, str] | None = None) -> BuildResult:
        """Build one platform and write its archive.

        Cancelling it ends the engine's build, and nothing of it stays behind but the engine's cache. ``environment`` is laid over
        that of the endpoint.

        Raises:
            UsageError: the request needs what the engine cannot do.
            BuildFailedError: the build failed; it says why as far as that can be known.
            BuildHangsError: nothing was heard for ``step_timeout`` seconds.
            HostError: the engine's program is missing.
        """
        ...
