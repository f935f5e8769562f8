"""A Dockerfile as buildah before 1.40 has to be given it when its stages are for several platforms.

There the ``--platform`` of one FROM also holds for every stage below it (containers/buildah#5968), the BUILD arguments of the platform
are not known, and FROM sees none of its arguments without an ARG (1.28 was watched). So every FROM says its own platform and has the
arguments of the platform filled in, and those that the file asks for are handed in. The changed file lies elsewhere,
so that what was to be ignored beside the old one is named.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from quarterdeck.build.dockerfile.model import Dockerfile, Instruction
from quarterdeck.build.engines.capability import buildah_of_podman
from quarterdeck.build.engines.engine import Engine
from quarterdeck.build.engines.request import BuildRequest
from quarterdeck.build.engines.version import parse_version
from quarterdeck.build.nodes.model import EngineName
from quarterdeck.build.stages.model import Stage, StageGraph
from quarterdeck.build.stages.platform_arguments import platform_arguments

_MENDED = (1, 40)
_NAME = "(?:BUILD|TARGET)(?:PLATFORM|OSVERSION|OS|ARCH|VARIANT)"
_VARIABLE = re.compile(rf"\$(?:\{{(?P<braced>{_NAME})\}}|(?P<bare>{_NAME})\b)")
"""An argument of the platform as FROM uses it; with an operator behind its name it stays for the engine."""


def for_engine(request: BuildRequest, engine: Engine, dockerfile: Dockerfile, graph: StageGraph) -> BuildRequest:
    """Return the request as ``engine`` needs it: unchanged, unless it is an old buildah that would misread a FROM."""
    if not _is_old(engine) or not (_several(graph) or _names_platform(dockerfile)):
        return request
    return replace(
        request,
        dockerfile=None,
        dockerfile_text=with_platforms(dockerfile, graph),
        build_args={**_build_arguments(dockerfile, graph), **request.build_args},
        extra=(*_ignore_file(request.dockerfile), *request.extra),
    )


def with_platforms(dockerfile: Dockerfile, graph: StageGraph) -> str:
    """Return the file with the platform of each needed stage in its FROM; every line stays where it is."""
    stages = {stage.span.first: stage for stage in graph.needed}
    lines = dockerfile.text.splitlines(keepends=True)
    for instruction in dockerfile.instructions:
        stage = stages.get(instruction.span.first)
        if instruction.keyword == "FROM" and stage is not None:
            first, last = instruction.span.first, instruction.span.last
            lines[first - 1 : last] = [_start(instruction, stage, graph), *["\n"] * (last - first)]
    return "".join(lines)


def _ignore_file(dockerfile: Path | None) -> list[str]:
    """Return the flag that names ``NAME.dockerignore`` beside a Dockerfile, where there is one (``--ignorefile`` of buildah-build(1))."""
    if dockerfile is None:
        return []
    beside = [dockerfile.with_name(dockerfile.name + ending) for ending in (".dockerignore", ".containerignore")]
    return [f"--ignorefile={path}" for path in beside if path.exists()][:1]


def _several(graph: StageGraph) -> bool:
    return any(stage.platform != graph.target_platform for stage in graph.needed)


def _names_platform(dockerfile: Dockerfile) -> bool:
    return any(one.keyword == "FROM" and _VARIABLE.search(one.arguments[0]) for one in dockerfile.instructions)


def _start(instruction: Instruction, stage: Stage, graph: StageGraph) -> str:
    image, *name = instruction.arguments
    return " ".join([f"FROM --platform={stage.platform}", _filled(image, graph), *name]) + "\n"


def _filled(image: str, graph: StageGraph) -> str:
    """Return what a FROM names, with the platform's arguments filled in; others stay, since their values may be secret."""
    known = platform_arguments(graph.target_platform, graph.build_platform, None)
    return _VARIABLE.sub(lambda found: known[found["braced"] or found["bare"]], image)


def _build_arguments(dockerfile: Dockerfile, graph: StageGraph) -> dict[str, str | None]:
    """Return the values of the BUILD arguments that the file declares."""
    declared = {pair.name for instruction in dockerfile.instructions if instruction.keyword == "ARG" for pair in instruction.pairs}
    known = platform_arguments(graph.target_platform, graph.build_platform, None)
    return {name: value for name, value in known.items() if name.startswith("BUILD") and name in declared}


def _is_old(engine: Engine) -> bool:
    version = parse_version(engine.version)
    if engine.name is EngineName.PODMAN:
        version = buildah_of_podman(version)
    return engine.name in (EngineName.BUILDAH, EngineName.PODMAN) and version < _MENDED
