"""What a plan copies and the context lacks, where the context is a folder."""

from __future__ import annotations

from pathlib import Path

from quarterdeck.build.planning.context import missing_files
from quarterdeck.build.planning.model import BuildPlan


def missing_in(context: str, plan: BuildPlan, file: Path | None) -> list[str]:
    """Return a line for each file that is missing; nothing where no folder is the context.

    Raises:
        UsageError: ``.dockerignore`` cannot be read, or is wrong.
    """
    if context in ("", "-"):
        return []
    return list(missing_files(plan.graphs.values(), plan.name, Path(context), file))
