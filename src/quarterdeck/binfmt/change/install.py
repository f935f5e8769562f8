"""Installs and uninstalls emulators: plan, do, and keep over a reboot, with everything or nothing changed in the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from quarterdeck.binfmt.change.apply import Applied, apply
from quarterdeck.binfmt.change.plan import Action, Plan, Wanted, plan_install
from quarterdeck.binfmt.change.uninstall import plan_uninstall
from quarterdeck.binfmt.emulators.find import Emulator
from quarterdeck.binfmt.emulators.flags import default_flags, kernel_version
from quarterdeck.binfmt.entries.interpreter import look
from quarterdeck.binfmt.kernel.registration import Registration, entry_name
from quarterdeck.binfmt.kernel.registry import Registry
from quarterdeck.binfmt.persist.choice import Choice, Keeper
from quarterdeck.binfmt.persist.keep import competing, forget, keep, returning
from quarterdeck.binfmt.selection import Selection, select
from quarterdeck.core.arch import ARCHES, host_arch, runs_natively
from quarterdeck.errors import UsageError
from quarterdeck.host.binfmt_misc import Entry, is_switched_on
from quarterdeck.host.container import container

ROOT = Path("/")


@dataclass(frozen=True)
class Outcome:
    """What was done: the plan that was carried out, the files and formats written or removed, and what to know about it."""

    plan: Plan
    applied: Applied
    kept: tuple[str, ...]
    notes: tuple[str, ...]


def wanted_of(selection: Selection, emulators: Sequence[Emulator], *, flags: str | None = None, given: bool = False) -> list[Wanted]:
    """Return what to register for the emulators that were found.

    Args:
        selection: what the user asked for.
        emulators: one for each architecture of it that has one.
        flags: exactly these, or None for the best that emulator and kernel support.
        given: the user said which emulators; entries with others are replaced.
    """
    kernel = kernel_version()
    return [
        Wanted(
            emulator.arch,
            Registration.of(emulator.arch, str(emulator.path), default_flags(emulator, kernel) if flags is None else flags),
            named=emulator.arch.name in selection.named,
            given=given,
            flags_given=flags is not None,
        )
        for emulator in emulators
    ]


def native_names() -> frozenset[str]:
    """Return the names of the architectures whose programs this machine is expected to run itself."""
    host = host_arch()
    return frozenset(arch.name for arch in ARCHES if runs_natively(arch, host))


def planner(wanted: Sequence[Wanted], registry: Registry, *, native: frozenset[str] | None = None) -> Callable[[list[Entry]], Plan]:
    """Return what makes the plan of an installation from the entries found.

    ``native`` replaces :func:`native_names` for callers that know better, as for an arm64 processor without 32-bit instructions.
    """
    names = native_names() if native is None else native
    manager = container()

    def make(entries: list[Entry]) -> Plan:
        return plan_install(wanted, look(entries, registry.folder, container=manager), host=host_arch(), native=names)

    return make


def install(registry: Registry, make: Callable[[list[Entry]], Plan], *, keeper: Choice | None, root: Path = ROOT) -> Outcome:
    """Register what the plan that ``make`` makes says, and keep it over a reboot by ``keeper`` (None: do not).

    Raises:
        RolledBack: something failed, and everything is as it was before.
        HostError: the registry may not be changed here.
        DeadlineError: another program keeps changing it.
    """
    plans: list[Plan] = []
    kept: list[str] = []
    notes: list[str] = []

    def finish(plan: Plan) -> None:
        plans.append(plan)
        if keeper is not None:
            kept.extend(keep(plan.registrations, keeper, root))
        # Last, since it is not undone.
        if plan.registrations and not is_switched_on(registry.folder):
            registry.switch_on()
            notes.append("binfmt_misc was switched off as a whole and is on now")

    applied = apply(registry, make, then=finish)
    if keeper is not None:
        notes += _about_keeping(plans[0].registrations, keeper, root)
    return Outcome(plans[0], applied, tuple(kept), tuple(notes))


def uninstall(registry: Registry, words: Sequence[str], *, keeper: Choice, root: Path = ROOT) -> Outcome:
    """Remove the entries that ``words`` name and what we wrote to keep them, also where the entry itself is gone already.

    Raises:
        UsageError: a word names nothing.
        RolledBack: something failed, and everything is as it was before.
    """
    plans: list[Plan] = []
    removed: list[str] = []

    def make(entries: list[Entry]) -> Plan:
        return plan_uninstall(words, entries)

    def finish(plan: Plan) -> None:
        plans.append(plan)
        removed.extend(forget(_names(words, plan), keeper, root))

    applied = apply(registry, make, then=finish)
    return Outcome(plans[0], applied, tuple(removed), tuple(returning(_names(words, plans[0]), keeper, root)))


def _names(words: Sequence[str], plan: Plan) -> list[str]:
    """Return the entries that were removed, and those that may only be on disk."""
    refused = {step.name for step in plan.steps if step.action is Action.REFUSE}
    names = [step.name for step in plan.steps]
    for word in words:
        try:
            names += [entry_name(arch) for arch in select([word]).arches]
        except UsageError:
            # The name of an entry that is not called after an architecture.
            names.append(word)
    return [name for name in dict.fromkeys(names) if name not in refused and "/" not in name]


def _about_keeping(registrations: Sequence[Registration], keeper: Choice, root: Path) -> list[str]:
    if not registrations:
        return []
    if keeper.keeper is Keeper.NONE:
        return [f"not kept over a reboot: {keeper.reason}; {keeper.hint}"]
    if keeper.keeper is Keeper.BINFMT_D:
        return competing([registration.name for registration in registrations], root)
    return []
