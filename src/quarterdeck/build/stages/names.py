"""What a name means in one Dockerfile: a stage, a build context, an image, or nothing at all."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from quarterdeck.build.stages.model import Base, Context, FromStage, Image, Scratch
from quarterdeck.build.stages.outline import Outline

_REGISTRY = "docker.io/"
_LIBRARY = "library/"


@dataclass(frozen=True)
class Names:
    """The names of a file's stages, and the build contexts that were given."""

    stages: Sequence[Outline]
    contexts: Mapping[str, str]

    def find(self, name: str, *, above: int | None = None) -> Base:
        """Return what ``name`` means; of stages with the same name the last, and only those above stage ``above`` when that is given."""
        for stage in reversed(self.stages[:above]):
            if stage.name and stage.name == name.lower():
                return FromStage(stage.index)
        return self.image(name)

    def image(self, name: str) -> Base:
        """Return what ``name`` means where it is no stage."""
        if name == "scratch":
            return Scratch()
        return self.context(name) or Image(name)

    def context(self, name: str) -> Context | None:
        """Return the build context of this name; ``alpine`` and ``docker.io/library/alpine:latest`` are the same one."""
        if not self.contexts or name.lower() in ("", "scratch", "context"):
            return None
        wanted = familiar(name)
        return next((Context(given, value) for given, value in self.contexts.items() if familiar(given) == wanted), None)

    def similar(self, name: str) -> str:
        """Return the stage's name that ``name`` was probably meant to be, empty when none comes near."""
        return _closest(name.lower(), tuple(stage.name for stage in self.stages if stage.name))


@lru_cache(maxsize=256)
def _closest(name: str, known: tuple[str, ...]) -> str:
    """Kept, because many stages stand on the same few images."""
    return next(iter(difflib.get_close_matches(name, known, n=1, cutoff=0.75)), "")


def familiar(reference: str) -> str:
    """Return a reference in its short form: without Docker's registry and without ``:latest`` (distribution/reference, FamiliarString)."""
    short = reference.lower() if "/" not in reference else reference
    short = short.removeprefix(_REGISTRY).removeprefix(_LIBRARY)
    return short.removesuffix(":latest")
