"""A Dockerfile as buildah before 1.40 has to be given it when its stages are for several platforms.

There the ``--platform`` of one FROM also holds for every stage below it (containers/buildah#5968), and the BUILD arguments of the platform
are not known. So every FROM says its own platform, and the arguments that the file asks for are handed in. The changed file lies elsewhere,
so that what was to be ignored beside the old one is named.
"""

from __future__ import annotations

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


def for_engine(request: BuildRequest, engine: Engine, dockerfile: Dockerfile, graph: StageGraph) -> BuildRequest:
    """Return the request as ``engine`` needs it: unchanged, unless it is an old buildah and a stage is for another platform."""
    if not _is_old(engine) or all(stage.platform == graph.target_platform for stage in graph.needed):
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
            lines[first - 1 : last] = [_start(instruction, stage), *["\n"] * (last - first)]
    return "".join(lines)


def _ignore_file(dockerfile: Path | None) -> list[str]:
    """Return the flag that names ``NAME.dockerignore`` beside a Dockerfile, where there is one (``--ignorefile`` of buildah-build(1))."""
    if dockerfile is None:
        return []
    beside = [dockerfile.with_name(dockerfile.name + ending) for ending in (".dockerignore", ".containerignore")]
    return [f"--ignorefile={path}" for path in beside if path.exists()][:1]


def _start(instruction: Instruction, stage: Stage) -> str:
    return f"FROM --platform={stage.platform} {instruction.text}\n"


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
