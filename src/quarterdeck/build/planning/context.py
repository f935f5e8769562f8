"""Files that a build is to copy and that its context does not have: builders say so when the steps above are done."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable, Iterator
from pathlib import Path

from quarterdeck.build.dockerfile.ignore import Ignore, read_ignore
from quarterdeck.build.stages.model import StageGraph, StageStep

# Wildcards, variables, quotes and escapes: what they come to is the builder's to say.
_UNSURE = frozenset("*?[]$\"'\\")
_OF_BUILDAH = ".containerignore"


def missing_files(graphs: Iterable[StageGraph], name: str, context: Path, file: Path | None) -> Iterator[str]:
    """Yield a line for people for each file that a needed stage copies and that is not there, or is left out by ``.dockerignore``.

    Args:
        graphs: the stages for each platform.
        name: what the Dockerfile is called in the lines.
        context: the build context, a folder.
        file: the Dockerfile, None when it is no file.

    Raises:
        UsageError: ``.dockerignore`` cannot be read, or is wrong; with its line.
    """
    ignore = _ignore(context, file)
    steps = (step for graph in graphs for stage in graph.needed for step in stage.steps)
    lines = (f"{name}:{step.line}: {text}" for step in steps for text in _missing(step, context, ignore))
    yield from dict.fromkeys(lines)


def _ignore(context: Path, file: Path | None) -> Ignore:
    """Return what is left out; nothing where only buildah and podman leave something out."""
    beside = [file.with_name(file.name + _OF_BUILDAH)] if file is not None else []
    if any(path.exists() for path in (*beside, context / _OF_BUILDAH)):
        return Ignore()
    return read_ignore(context, file)


def _missing(step: StageStep, context: Path, ignore: Ignore) -> Iterator[str]:
    for source in _sources(step):
        path = posixpath.normpath(f"/{source}").lstrip("/")
        there = context / path
        if not os.path.lexists(there):
            yield f"{step.instruction.keyword} {source}: the context {context} has no such file"
        elif path and ignore.matches(path) and not (there.is_dir() and ignore.has_exceptions):
            yield f"{step.instruction.keyword} {source}: {ignore.name} leaves it out of the context"


def _sources(step: StageStep) -> Iterator[str]:
    """Yield the files that an instruction takes from the main context, those that are known for sure."""
    instruction = step.instruction
    if instruction.keyword not in ("COPY", "ADD") or instruction.flag("from") is not None or instruction.is_set("parents"):
        return
    for source in instruction.arguments[:-1]:
        elsewhere = source.startswith("<<") or ":" in source or "@" in source
        if not elsewhere and not _UNSURE & set(source):
            yield source
