"""``qd binfmt install``: registers emulators, keeps them, and proves them."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from quarterdeck.binfmt.change.install import Outcome
from quarterdeck.binfmt.change.plan import Plan
from quarterdeck.binfmt.emulators.flags import check_flags
from quarterdeck.binfmt.emulators.offer import Offer, Source
from quarterdeck.binfmt.persist.choice import choose
from quarterdeck.binfmt.prove.proof import Proof
from quarterdeck.binfmt.selection import select
from quarterdeck.binfmt.setup import Request, check_installation, preview, set_up
from quarterdeck.cli.binfmt.options import Cpu, Flags, From, Mount, Prefix, What
from quarterdeck.cli.binfmt.show import show_plan, show_preview, show_proofs
from quarterdeck.cli.options import Json
from quarterdeck.cli.output import print_json, say
from quarterdeck.host.binfmt_misc import FOLDER


def install(
    what: What,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan and change nothing.")] = False,
    flags: Flags = None,
    folder: From = None,
    prefix: Prefix = "qemu-",
    cpu: Cpu = None,
    no_persist: Annotated[bool, typer.Option("--no-persist", help="Do not keep them over a reboot.")] = False,
    no_prove: Annotated[bool, typer.Option("--no-prove", help="Do not run a program of each architecture afterwards.")] = False,
    mount: Mount = FOLDER,
    json: Json = False,
) -> None:
    """Register emulators with the kernel, keep them over a reboot, and prove that each of them works.

    Entries that are right stay; stale ones and those without a wanted flag are replaced; those of others are never touched.
    All is done or nothing. Exits with 1 when an emulator is registered and does not work.
    """
    request = Request(select(what), Source(folder, prefix, cpu), None if flags is None else check_flags(flags), mount)
    if dry_run:
        plan, offer = preview(request)
        if not json:
            _tell_offer(offer)
        show_preview(plan, json=json)
        check_installation(plan, request.selection)
        return
    tell = _ignore if json else _tell
    outcome, proofs = set_up(request, keeper=None if no_persist else choose(), proved=not no_prove, tell=tell)
    if json:
        print_json(_to_json(outcome, proofs))
    else:
        _show(outcome, proofs)
    if not all(proof.ok for proof in proofs):
        raise typer.Exit(1)


def _ignore(plan: Plan, offer: Offer) -> None:
    pass


def _tell(plan: Plan, offer: Offer) -> None:
    _tell_offer(offer)
    show_plan(plan)


def _tell_offer(offer: Offer) -> None:
    for arch, error in offer.unusable:
        say(f"left out {arch.name}: {error.message}: {error.reason}", "yellow")
    for arch, error in offer.plain:
        say(f"{arch.name} has QEMU's own CPU model, which is slow: {error.message}: {error.reason}", "yellow")
    if offer.own is not None:
        say(f"{offer.own.name} needs no emulator: this machine runs its programs itself")


def _show(outcome: Outcome, proofs: list[Proof]) -> None:
    for line in outcome.kept:
        say(f"kept over a reboot: {line}")
    for note in outcome.notes:
        say(note, "yellow")
    if proofs:
        show_proofs(proofs)
        good = sum(proof.ok for proof in proofs)
        say(f"{good} of {len(proofs)} emulators proved", "green" if good == len(proofs) else "bold red")


def _to_json(outcome: Outcome, proofs: list[Proof]) -> dict[str, Any]:
    return {
        "plan": outcome.plan.to_json(),
        "applied": [step.to_json() for step in outcome.applied.steps],
        "kept": list(outcome.kept),
        "notes": list(outcome.notes),
        "proofs": [proof.to_json() for proof in proofs],
    }
