"""The whole way of an installation: emulators found, binfmt_misc mounted, entries registered and kept, and each one proved."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from quarterdeck.binfmt.change.install import Outcome, install, planner, uninstall, wanted_of
from quarterdeck.binfmt.change.plan import Plan, Step
from quarterdeck.binfmt.change.uninstall import plan_uninstall
from quarterdeck.binfmt.emulators.copies import remove_unused
from quarterdeck.binfmt.emulators.offer import Offer, Source, find_offer
from quarterdeck.binfmt.kernel.instance import in_first_user_namespace
from quarterdeck.binfmt.kernel.mount import ensure_mounted, refuse_inherited
from quarterdeck.binfmt.kernel.registry import Registry
from quarterdeck.binfmt.persist import binfmt_d, binfmt_support
from quarterdeck.binfmt.persist.choice import Choice
from quarterdeck.binfmt.prove.proof import Proof
from quarterdeck.binfmt.prove.prove import prove
from quarterdeck.binfmt.selection import Selection, is_pattern, split
from quarterdeck.errors import HostError
from quarterdeck.host.binfmt_misc import FOLDER, Entry


@dataclass(frozen=True)
class Request:
    """What is asked for; ``flags`` None means the best that each emulator and the kernel support. ``mount`` is binfmt_misc's folder."""

    selection: Selection
    source: Source = field(default_factory=Source)
    flags: str | None = None
    mount: Path = FOLDER

    def planner(self, offer: Offer) -> Callable[[list[Entry]], Plan]:
        """Return what makes the plan from the entries found."""
        wanted = wanted_of(self.selection, offer.emulators, flags=self.flags, given=self.source.given)
        return planner(wanted, Registry(self.mount))


def preview(request: Request) -> tuple[Plan, Offer]:
    """Return what :func:`set_up` would do and with which emulators; nothing is changed."""
    offer = find_offer(request.selection, request.source, write=False)
    return request.planner(offer)(Registry(request.mount).entries()), offer


def set_up(
    request: Request, *, keeper: Choice | None, proved: bool = True, tell: Callable[[Plan, Offer], None] = lambda plan, offer: None
) -> tuple[Outcome, list[Proof]]:
    """Install what is asked for and return what was done and, with ``proved``, what each emulator does.

    ``tell`` sees the plan before it is carried out. ``keeper`` keeps the entries over a reboot, None: nobody does.

    Raises:
        HostError: an emulator is missing, what was asked for by name is refused, or the host does not allow it.
        RolledBack: something failed, and everything is as it was before.
    """
    ensure_mounted(request.mount)
    offer = find_offer(request.selection, request.source, write=True)
    make, registry = request.planner(offer), Registry(request.mount)
    plan = make(registry.entries())
    check_installation(plan, request.selection)
    tell(plan, offer)
    outcome = install(registry, make, keeper=keeper)
    _remove_unused_copies(registry, request.source.copies)
    arches = [step.arch for step in outcome.plan.steps if step.arch is not None and step.new is not None]
    return outcome, prove(arches, entries=registry.entries()) if proved else []


def take_away(words: Sequence[str], *, keeper: Choice, mount: Path = FOLDER) -> Outcome:
    """Uninstall what ``words`` name, as :func:`quarterdeck.binfmt.change.install.uninstall` does, and copies that nothing uses any more.

    Raises:
        UsageError: a word names nothing.
        HostError: what was asked for by name is refused, or the entries are not ours to remove.
        RolledBack: something failed, and everything is as it was before.
    """
    refuse_inherited(mount)
    registry = Registry(mount)
    check_removal(words, registry.entries())
    outcome = uninstall(registry, words, keeper=keeper)
    _remove_unused_copies(registry, None)
    return outcome


def _remove_unused_copies(registry: Registry, folder: Path | None) -> None:
    """Copies of emulators that were replaced take space; a folder that we may not change keeps them."""
    if not in_first_user_namespace():
        return  # the host's own entries, which may use them too, are not seen from here
    now = [entry.interpreter for entry in registry.entries()]
    later = [line.interpreter for line in binfmt_d.lines()] + [one.interpreter for one in binfmt_support.formats()]
    with contextlib.suppress(OSError):
        remove_unused([*now, *later], folder)


def check_installation(plan: Plan, selection: Selection) -> None:
    """Make sure that everything that was asked for by name can be registered.

    Raises:
        HostError: something is refused.
    """
    for step in plan.refusals:
        if step.arch is not None and step.arch.name in selection.named:
            raise _refused(step, "registered")


def check_removal(words: Sequence[str], entries: Sequence[Entry]) -> None:
    """Make sure that everything that ``words`` name, and not just match, can be removed.

    Raises:
        UsageError: a word names nothing.
        HostError: something is refused.
    """
    named = [word for word in split(words) if not is_pattern(word)]
    for step in plan_uninstall(named, entries).refusals if named else ():
        raise _refused(step, "removed")


def _refused(step: Step, done: str) -> HostError:
    return HostError("binfmt-refused", f"{step.name} is not {done}", reason=step.reason, hint=step.hint)
