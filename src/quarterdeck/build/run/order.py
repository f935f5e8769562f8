"""What the user ordered, and the request for each platform that follows from it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

from quarterdeck.build.dockerfile.model import Dockerfile
from quarterdeck.build.engines.request import BuildRequest
from quarterdeck.build.engines.settings import BuildSettings
from quarterdeck.build.nodes.model import EngineName
from quarterdeck.build.platform import Platform
from quarterdeck.build.run.cache import for_platform


@dataclass(frozen=True, kw_only=True)
class BuildOrder(BuildSettings):
    """One image for several platforms.

    Attributes:
        dockerfile: as parsed; ``file`` is its path, None when it came from standard input.
        engine: the engine to build with where a node has several, None for the first that can.
        keep_going: whether the other platforms are built on when one failed.
    """

    dockerfile: Dockerfile
    file: Path | None
    platforms: tuple[Platform, ...]
    engine: EngineName | None = None
    keep_going: bool = False

    def request(self, platform: Platform, destination: Path, *, emulated: bool) -> BuildRequest:
        """Return what an engine is asked for; ``destination`` is the archive that it writes."""
        several = len(self.platforms) > 1
        settings = {field.name: getattr(self, field.name) for field in fields(BuildSettings)}
        settings |= {
            "cache_from": tuple(one for text in self.cache_from for one in (for_platform(text, platform, several=several), text)),
            "cache_to": tuple(for_platform(text, platform, several=several) for text in self.cache_to),
        }
        return BuildRequest(
            **settings,
            platform=platform,
            destination=destination,
            # buildah takes what is relative to be relative to the context too, and then misses NAME.dockerignore beside it.
            dockerfile=self.file.absolute() if self.file is not None else None,
            dockerfile_text=self.dockerfile.text if self.file is None else None,
            emulated=emulated,
        )
