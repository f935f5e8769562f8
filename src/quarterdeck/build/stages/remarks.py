"""What is allowed in a Dockerfile and probably a slip: names of images that look like names of stages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from quarterdeck.build.stages.model import Base, Image, Remark, Stage
from quarterdeck.build.stages.names import Names


def remarks(names: Names, stages: Sequence[Stage]) -> Iterator[Remark]:
    """Yield what looks like a slip in the stages that are needed.

    A builder takes a name that is no stage for an image, and then complains about a registry; the slip is in the file.
    """
    for stage in stages:
        yield from _missing(names, stage) or _slip(names, stage.base, stage.span.first)
        for step in stage.steps:
            for source in step.sources:
                yield from _slip(names, source, step.line)


def _missing(names: Names, stage: Stage) -> list[Remark]:
    """Return a remark where ``FROM base-${TARGETARCH}`` finds no stage for this platform, though there are some for others."""
    beginning, variable, _ = names.stages[stage.index].written.partition("$")
    if not variable or not beginning or not isinstance(stage.base, Image) or set("/:@.") & set(stage.base.reference):
        return []
    others = [one.name for one in names.stages if one.name.startswith(beginning.lower())]
    text = f"'{stage.base}' is no stage, so it is an image of that name; the file has the stages {', '.join(others)}"
    return [Remark(stage.span.first, text)] if others else []


def _slip(names: Names, base: Base, line: int) -> Iterator[Remark]:
    if not isinstance(base, Image) or set("/:@.") & set(base.reference):
        return
    similar = names.similar(base.reference)
    if similar and similar != base.reference.lower():
        yield Remark(line, f"'{base.reference}' is no stage, so it is an image of that name; did you mean the stage '{similar}'?")
