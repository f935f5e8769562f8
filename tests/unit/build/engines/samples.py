"""Requests and engines that never run."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from quarterdeck.build.dockerfile.parser import parse
from quarterdeck.build.engines.capability import Capability
from quarterdeck.build.engines.events import BuildReporter
from quarterdeck.build.engines.needs import Needs, needs
from quarterdeck.build.engines.request import BuildRequest, BuildResult
from quarterdeck.build.nodes.model import EngineName
from quarterdeck.build.platform import Platform

ARM64 = Platform.parse("linux/arm64")


def request(**values: object) -> BuildRequest:
    given: dict[str, object] = {"context": ".", "platform": ARM64, "destination": Path("/tmp/image.tar"), **values}
    return BuildRequest(**given)  # type: ignore[arg-type]  # tests give what the field wants


def needed(text: str, **values: object) -> Needs:
    return needs(parse(text), request(**values))


@dataclass(frozen=True)
class Named:
    """An engine that can do what it is told to be able to."""

    name: EngineName
    version: str
    capabilities: frozenset[Capability]

    async def build(self, request: BuildRequest, *, report: BuildReporter, environment: Mapping[str, str] | None = None) -> BuildResult:
        raise AssertionError("it never builds")
