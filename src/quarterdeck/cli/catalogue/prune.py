"""``qd catalogue prune``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from quarterdeck.cli.options import Json
from quarterdeck.cli.output import print_json, say
from quarterdeck.cli.table import Column, print_columns
from quarterdeck.core.size import format_size
from quarterdeck.errors import UsageError
from quarterdeck.media.library import prune as library
from quarterdeck.media.library.prune import Removable
from quarterdeck.runtime import assets
from quarterdeck.runtime.store import MachineStore

_COLUMNS = (Column("SIZE"), Column("KIND"), Column("PATH"))


def prune(
    everything: Annotated[bool, typer.Option("--all", help="Also what was asked for in the last hour, and downloads of the week.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list what would be removed.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    json: Json = False,
) -> None:
    """Remove images that no machine stands on, downloads that were given up, and what killed commands left."""
    plan = library.plan_prune(_used(), everything=everything)
    if json:
        print_json([_row(item) for item in plan])
    else:
        print_columns(_COLUMNS, [[format_size(item.size), item.kind.value, str(item.path)] for item in plan]) if plan else None
    if dry_run or not plan:
        say(f"{'would free' if dry_run else 'nothing to remove:'} {format_size(sum(item.size for item in plan))}")
        return
    if not yes:
        _confirm(plan)
    say(f"freed {format_size(library.prune(plan))}")


def _used() -> list[Path]:
    """Every image that a machine stands on. A machine whose list of images is damaged is an error: what it needs is not known."""
    store = MachineStore()
    found: list[Path] = []
    for name in store.names():
        pinned = assets.pinned(store.layout(name))
        if pinned is None:
            continue
        images = [pinned.boot_disk, pinned.boot_iso, *(image for _, image in pinned.images)]
        found.extend(Path(part.path) for image in images if image is not None for part in image.chain())
        if pinned.kernel is not None:
            found.extend((Path(pinned.kernel.kernel), Path(pinned.kernel.initrd)))
    return found


def _confirm(plan: Sequence[Removable]) -> None:
    if not sys.stdin.isatty():
        raise UsageError("not-confirmed", "removing images must be confirmed", reason="there is no terminal to ask on", hint="add --yes")
    if not typer.confirm(f"Remove these {len(plan)}?", err=True):
        raise typer.Exit(1)


def _row(item: Removable) -> dict[str, Any]:
    return {"path": str(item.path), "kind": item.kind.value, "size": item.size, "used": item.used}
