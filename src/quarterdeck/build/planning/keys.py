"""What a step is called in the history: the same for the same work, whatever else in the file changes."""

from __future__ import annotations

import hashlib
import json

from quarterdeck.build.dockerfile.errors import SyntaxFault
from quarterdeck.build.dockerfile.expand import used_names
from quarterdeck.build.planning.script import written
from quarterdeck.build.platform import Platform
from quarterdeck.build.stages.model import Stage, StageGraph, StageStep


def step_key(graph: StageGraph, stage: Stage, step: StageStep, *, platform: Platform | None = None) -> str:
    """Return the key of a step: a digest of its platform, its normalised instruction with the variables it names, and its base image.

    Spaces and the way lines are folded do not matter; flags do. Values go into the digest only, so no secret is stored. ``platform``
    finds the same step of another platform than the stage's.
    """
    text = " ".join(written(step).split())
    flags = " ".join(str(flag) for flag in step.instruction.flags)
    named = sorted(name for name in _names(text, graph.escape) if name in step.variables)
    variables = [[name, step.variables[name]] for name in named]
    parts = [str(platform or stage.platform), step.instruction.keyword, flags, text, variables, str(graph.root(stage))]
    return hashlib.sha256(json.dumps(parts).encode(errors="surrogatepass")).hexdigest()[:24]


def _names(text: str, escape: str) -> frozenset[str]:
    """Return the variables that a script names; a shell knows more ways to write them than the builder, and those count for nothing."""
    if "$" not in text:
        return frozenset()
    try:
        return used_names(text, escape=escape)
    except SyntaxFault:
        return frozenset()
