"""``qd binfmt install``: registers emulators, keeps them, and proves them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from quarterdeck.binfmt.flags import check_flags
from quarterdeck.binfmt.install import Outcome, planner, wanted_of
from quarterdeck.binfmt.install import install as do_install
from quarterdeck.binfmt.mount import ensure_mounted
from quarterdeck.binfmt.offer import Offer, Source, find_offer
from quarterdeck.binfmt.persist.choice import choose
from quarterdeck.binfmt.plan import Plan
from quarterdeck.binfmt.prove.proof import Proof
from quarterdeck.binfmt.prove.prove import prove
from quarterdeck.binfmt.registry import Registry
from quarterdeck.binfmt.selection import Selection, select
from quarterdeck.cli.binfmt.options import Cpu, Flags, From, Mount, Prefix, What
from quarterdeck.cli.binfmt.show import show_plan, show_proofs
from quarterdeck.cli.options import Json
from quarterdeck.cli.output import print_json, say
from quarterdeck.errors import HostError
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
    selection = select(what)
    source = Source(folder, prefix, cpu)
    letters = None if flags is None else check_flags(flags)
    if dry_run:
        _show_only(_plan(selection, find_offer(selection, source, write=False), mount, flags=letters, given=source.given), json=json)
        return
    ensure_mounted(mount)
    offer = find_offer(selection, source, write=True)
    plan = _plan(selection, offer, mount, flags=letters, given=source.given)
    _refuse_named(plan, selection)
    if not json:
        _show_before(plan, offer)
    registry = Registry(mount)
    make = planner(wanted_of(selection, offer.emulators, flags=letters, given=source.given), registry)
    outcome = do_install(registry, make, keeper=None if no_persist else choose())
    proofs = [] if no_prove else _prove(outcome.plan, registry)
    _show_after(outcome, proofs, json=json)
    if not all(proof.ok for proof in proofs):
        raise typer.Exit(1)


def _plan(selection: Selection, offer: Offer, mount: Path, *, flags: str | None, given: bool) -> Plan:
    registry = Registry(mount)
    return planner(wanted_of(selection, offer.emulators, flags=flags, given=given), registry)(registry.entries())


def _show_only(plan: Plan, *, json: bool) -> None:
    if json:
        print_json({"plan": plan.to_json()})
        return
    for line in plan.lines():
        typer.echo(line)


def _refuse_named(plan: Plan, selection: Selection) -> None:
    """What was asked for by name and cannot be is an error, before anything is touched."""
    for step in plan.refusals:
        if step.arch is not None and step.arch.name in selection.named:
            raise HostError("binfmt-refused", f"{step.name} is not registered", reason=step.reason, hint=step.hint)


def _show_before(plan: Plan, offer: Offer) -> None:
    for arch, error in offer.unusable:
        say(f"left out {arch.name}: {error.message}: {error.reason}", "yellow")
    show_plan(plan)


def _prove(plan: Plan, registry: Registry) -> list[Proof]:
    arches = [step.arch for step in plan.steps if step.arch is not None and step.new is not None]
    return prove(arches, entries=registry.entries())


def _show_after(outcome: Outcome, proofs: list[Proof], *, json: bool) -> None:
    if json:
        print_json(_to_json(outcome, proofs))
        return
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
