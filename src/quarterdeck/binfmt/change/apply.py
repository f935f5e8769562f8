"""Does what a plan says, in one go: all of it, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from quarterdeck.binfmt.change.plan import Action, Plan, Step
from quarterdeck.binfmt.entries.kind import final_name, is_temporary
from quarterdeck.binfmt.kernel.exchange import exchange, leftovers
from quarterdeck.binfmt.kernel.registration import Registration
from quarterdeck.binfmt.kernel.registry import Registry
from quarterdeck.errors import QuarterdeckError
from quarterdeck.host.binfmt_misc import Entry


@dataclass(frozen=True)
class Applied:
    """The steps that were done."""

    steps: tuple[Step, ...]


class RolledBack(QuarterdeckError):  # noqa: N818 -- says what happened; it is an error by its base
    """A step failed and what was done before it was undone. ``remains`` says what could not be undone, one line each."""

    def __init__(self, cause: QuarterdeckError, remains: tuple[str, ...]) -> None:
        outcome = "; ".join(("the other changes were undone, except", *remains)) if remains else "everything is as it was before"
        super().__init__(cause.key, cause.message, reason="\n".join(filter(None, (cause.reason, outcome))), hint=cause.hint)
        self.exit_code = cause.exit_code
        self.cause = cause
        self.remains = remains


def apply(registry: Registry, replan: Callable[[list[Entry]], Plan], *, then: Callable[[Plan], None] | None = None) -> Applied:
    """Make the plan anew while nobody else can change the registry, and do it.

    Args:
        registry: the kernel's registry.
        replan: makes the plan from the entries found; what was shown to the user may be old by now.
        then: does what belongs to it beside the registry, such as files for the next boot, and undoes its own work if it fails;
            the registry is rolled back then too.

    Raises:
        RolledBack: a step or ``then`` failed.
        HostError: we may not change the registry.
        DeadlineError: another program keeps changing it.
    """
    with registry.locked():
        plan = replan(registry.entries())
        with _undone_on_error(registry) as done:
            for step in plan.changes:
                done.append(step)
                _do(registry, step)
            if then is not None:
                then(plan)
        return Applied(plan.changes)


@contextmanager
def _undone_on_error(registry: Registry) -> Iterator[list[Step]]:
    done: list[Step] = []
    try:
        yield done
    except QuarterdeckError as error:
        raise RolledBack(error, tuple(_undo(registry, done))) from None
    except BaseException:
        # Ctrl-C must not leave half of it either.
        _undo(registry, done)
        raise


def _do(registry: Registry, step: Step) -> None:
    targets = [step.new] if step.new is not None and step.action is not Action.REMOVE else []
    remove = [entry.name for entry in step.old]
    exchange(registry, targets, remove=[*remove, *leftovers(registry, [step.name, *remove])])


def _undo(registry: Registry, done: list[Step]) -> list[str]:
    """Undo steps, the last first, and return what could not be undone."""
    remains = []
    for step in reversed(done):
        try:
            _undo_step(registry, step)
        except QuarterdeckError as error:
            remains.append(f"{step.name}: {error.message} ({error.reason})")
    return remains


def _undo_step(registry: Registry, step: Step) -> None:
    """Bring back what is not there any more as it was, and remove what was not there."""
    before = [entry for entry in step.old if entry.magic]
    there = registry.entries()
    lost = [entry for entry in before if entry not in there]
    mine = [step.new.name] if step.new is not None and step.action is not Action.REMOVE else []
    names = {*mine, *(entry.name for entry in before)}
    strange = [entry.name for entry in there if entry not in before and (entry.name in names or _stands_in(entry, names))]
    exchange(registry, [Registration.from_entry(entry) for entry in lost], remove=strange)
    for entry in lost:
        if not entry.enabled:
            registry.disable(entry.name)


def _stands_in(entry: Entry, names: set[str]) -> bool:
    return is_temporary(entry) and final_name(entry) in names
