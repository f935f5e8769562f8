"""``qd binfmt uninstall``: takes emulators away."""

from __future__ import annotations

from typing import Annotated

import typer

from quarterdeck.binfmt.change.uninstall import plan_uninstall
from quarterdeck.binfmt.kernel.registry import Registry
from quarterdeck.binfmt.persist.choice import choose
from quarterdeck.binfmt.setup import check_removal, take_away
from quarterdeck.cli.binfmt.options import Mount
from quarterdeck.cli.binfmt.show import show_plan, show_preview
from quarterdeck.cli.options import Json
from quarterdeck.cli.output import print_json, say
from quarterdeck.host.binfmt_misc import FOLDER


def uninstall(
    what: Annotated[list[str], typer.Argument(metavar="WHAT", help="Entries (qemu-arm), architectures, platforms, patterns, or 'all'.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan and change nothing.")] = False,
    mount: Mount = FOLDER,
    json: Json = False,
) -> None:
    """Take emulators away, and what keeps them over a reboot; those that are not QEMU's are refused."""
    if dry_run:
        entries = Registry(mount).entries()
        show_preview(plan_uninstall(what, entries), json=json)
        check_removal(what, entries)
        return
    outcome = take_away(what, keeper=choose(), mount=mount)
    if json:
        print_json({"plan": outcome.plan.to_json(), "removed": list(outcome.kept), "notes": list(outcome.notes)})
        return
    show_plan(outcome.plan)
    for line in outcome.kept:
        say(f"removed: {line}")
    for note in outcome.notes:
        say(note, "yellow")
    if not outcome.plan.steps and not outcome.kept:
        say("there was nothing to remove")
