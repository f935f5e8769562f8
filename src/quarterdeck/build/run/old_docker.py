"""What a Docker Engine before 23.0 has to be told: there an ARG of the platform above the first FROM, without a value, makes it empty.

Source: convert.go of dockerfile2llb in BuildKit 0.8, which 20.10 has: an ARG without a value replaced the one that was known. A build
argument of the same name fills it; it says what the argument says anyway.
"""

from __future__ import annotations

from dataclasses import replace

from quarterdeck.build.dockerfile.model import Dockerfile
from quarterdeck.build.engines.engine import Engine
from quarterdeck.build.engines.request import BuildRequest
from quarterdeck.build.engines.version import parse_version
from quarterdeck.build.nodes.model import EngineName
from quarterdeck.build.stages.model import StageGraph
from quarterdeck.build.stages.outline import split
from quarterdeck.build.stages.platform_arguments import platform_arguments

_MENDED = (23, 0)


def for_docker(request: BuildRequest, engine: Engine, dockerfile: Dockerfile, graph: StageGraph) -> BuildRequest:
    """Return the request as ``engine`` needs it: with the platform's arguments that stand above the first FROM, if it is an old Docker."""
    if engine.name is not EngineName.DOCKER or parse_version(engine.version) >= _MENDED:
        return request
    above, _ = split(dockerfile)
    declared = {pair.name for one in above if one.keyword == "ARG" for pair in one.pairs if pair.value is None}
    known = platform_arguments(graph.target_platform, graph.build_platform, None)
    filled = {name: value for name, value in known.items() if name in declared and value}
    return replace(request, build_args={**filled, **request.build_args}) if filled else request
