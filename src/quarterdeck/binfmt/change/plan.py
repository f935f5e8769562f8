"""What an installation will change and why: decided from values alone, before anything is touched."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from quarterdeck.binfmt.entries.interpreter import FileState, Found
from quarterdeck.binfmt.entries.kind import final_name, is_emulator, is_temporary, oddity
from quarterdeck.binfmt.kernel.registration import Registration, entry_name, normal_flags
from quarterdeck.core.arch import Arch
from quarterdeck.host.binfmt_misc import FOLDER, Entry


class Action(StrEnum):
    """What happens to one architecture or entry."""

    KEEP = "keep"
    ADD = "add"
    REPLACE = "replace"
    REMOVE = "remove"
    REFUSE = "refuse"
    SKIP = "skip"

    @property
    def changes(self) -> bool:
        """Whether the kernel's registry is written to."""
        return self in {Action.ADD, Action.REPLACE, Action.REMOVE}


def printable(text: str) -> str:
    """Return text without what would move a terminal's cursor: names and paths in the registry are anybody's."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)


def how_to_remove(entry: Entry) -> str:
    """Return how a user removes an entry that is not ours to remove."""
    return f"remove it with what made it, or as root: echo -1 > {shlex.quote(f'{FOLDER}/{entry.name}')}"


@dataclass(frozen=True, kw_only=True)
class Step:
    """One decision: about entry ``name``, for programs of ``arch`` (None: of no architecture that we know).

    ``new`` is what is registered, None when nothing is; ``old`` are the entries that go. ``hint`` says how to go on after a refusal.
    """

    action: Action
    name: str
    reason: str
    arch: Arch | None = None
    new: Registration | None = None
    old: tuple[Entry, ...] = ()
    hint: str = ""

    def line(self) -> str:
        """Return the step as one line of text."""
        target = f" -> {self.new.interpreter} ({self.new.flags})" if self.new and self.action.changes else ""
        return printable(f"{self.action.value:8}{self.name}{target}: {self.reason}")

    def to_json(self) -> dict[str, object]:
        """Return the step as a JSON object."""
        return {
            "action": self.action.value,
            "name": self.name,
            "arch": self.arch.name if self.arch else None,
            "platform": (self.arch.oci if self.arch else "") or None,
            "reason": self.reason,
            "hint": self.hint,
            "interpreter": self.new.interpreter if self.new else None,
            "flags": self.new.flags if self.new else None,
            "replaces": [entry.name for entry in self.old],
        }


@dataclass(frozen=True)
class Plan:
    """Steps in the order in which they are done."""

    steps: tuple[Step, ...]

    @property
    def changes(self) -> tuple[Step, ...]:
        """The steps that change something."""
        return tuple(step for step in self.steps if step.action.changes)

    @property
    def refusals(self) -> tuple[Step, ...]:
        """The steps that were asked for and will not be done."""
        return tuple(step for step in self.steps if step.action is Action.REFUSE)

    @property
    def registrations(self) -> tuple[Registration, ...]:
        """What is registered in the end, of what was asked for: kept, added or replaced."""
        wanted = {Action.KEEP, Action.ADD, Action.REPLACE}
        return tuple(step.new for step in self.steps if step.action in wanted and step.new is not None)

    def to_json(self) -> dict[str, object]:
        """Return the plan as a JSON object."""
        return {"changes": len(self.changes), "refusals": len(self.refusals), "steps": [step.to_json() for step in self.steps]}


@dataclass(frozen=True)
class Wanted:
    """An architecture to emulate and the registration for it.

    ``named`` says that the user asked for just this architecture, not for all or by a pattern; ``given`` that the emulator must be
    this very one, because the user said which; ``flags_given`` that exactly these flags must be set, and not at least these.
    """

    arch: Arch
    registration: Registration
    named: bool = False
    given: bool = False
    flags_given: bool = False


def plan_install(wanted: Sequence[Wanted], found: Sequence[Found], *, host: Arch, native: frozenset[str] = frozenset()) -> Plan:
    """Return what has to be done so that every wanted emulator is registered and works.

    Args:
        wanted: what is asked for.
        found: what is registered now.
        host: the architecture that we run on.
        native: names of further architectures whose programs this host's processor runs itself.
    """
    return Plan(tuple(_decide(item, found, host=host, native=native) for item in wanted))


def _decide(item: Wanted, found: Sequence[Found], *, host: Arch, native: frozenset[str]) -> Step:
    return _native_step(item, host, native) or _foreign_step(item, found) or _own_step(item, found)


def _native_step(item: Wanted, host: Arch, native: frozenset[str]) -> Step | None:
    arch, name = item.arch, item.registration.name
    if arch.name == host.name:
        # The emulator itself is such a program: the kernel would look for an emulator of the emulator and run nothing any more.
        reason = f"this machine runs programs of {arch.name} itself, and an entry for them would keep every program from starting"
        return Step(action=Action.REFUSE if item.named else Action.SKIP, name=name, arch=arch, reason=reason)
    if arch.name in native and not item.named:
        reason = f"this machine runs programs of {arch.name} itself; an emulator would take them over and be slower"
        return Step(action=Action.SKIP, name=name, arch=arch, reason=reason, hint=f"if it does not: qd binfmt install {arch.name}")
    return None


def _foreign_step(item: Wanted, found: Sequence[Found]) -> Step | None:
    """Refuse where an entry that is not an emulator of QEMU is in the way."""
    for entry in (one.entry for one in found):
        if _is_ours(entry, item):
            continue
        if entry.name == item.registration.name:
            reason = f"an entry of this name runs {entry.interpreter}, which is not QEMU"
        elif entry.enabled and _claims(entry, item.arch):
            reason = f"{entry.name} runs these programs by {entry.interpreter}, which is not QEMU"
        else:
            continue
        hint = f"to have QEMU instead, {how_to_remove(entry)}"
        return Step(action=Action.REFUSE, name=item.registration.name, arch=item.arch, reason=reason, hint=hint)
    return None


def _own_step(item: Wanted, found: Sequence[Found]) -> Step:
    new, arch = item.registration, item.arch
    same_kind = [one for one in found if _is_ours(one.entry, item) and _concerns(one.entry, item)]
    faults = [(one, fault) for one in same_kind if (fault := _fault(one, item))]
    sound = [one for one in same_kind if one.entry not in [other.entry for other, _ in faults]]
    if not same_kind:
        return Step(action=Action.ADD, name=new.name, arch=arch, new=new, reason=f"nothing runs programs of {arch.name}")
    if sound and not faults:
        kept = Registration.from_entry(sound[0].entry)
        return Step(action=Action.KEEP, name=kept.name, arch=arch, new=kept, reason="it is registered as it should be")
    reason = "; ".join(f"{one.entry.name}: {fault}" for one, fault in faults)
    old = tuple(one.entry for one, _ in faults)
    if sound:
        kept = Registration.from_entry(sound[0].entry)
        return Step(action=Action.REMOVE, name=", ".join(entry.name for entry in old), arch=arch, new=kept, old=old, reason=reason)
    return Step(action=Action.REPLACE, name=new.name, arch=arch, new=new, old=old, reason=reason)


def _is_ours(entry: Entry, item: Wanted) -> bool:
    return is_emulator(entry) or entry.interpreter == item.registration.interpreter


def _concerns(entry: Entry, item: Wanted) -> bool:
    """Whether an entry of QEMU is about this architecture and not about another one that it also claims by a careless mask."""
    if final_name(entry) == entry_name(item.arch):
        return True
    return _claims(entry, item.arch) and final_name(entry) == entry.name and not oddity(entry, item.arch).startswith("it also claims")


def _claims(entry: Entry, arch: Arch) -> bool:
    return entry.claims(arch.elf.example())


def _fault(one: Found, item: Wanted) -> str:
    """Return why an entry cannot stay, empty when it can."""
    return _fault_of_file(one, item) or _fault_of_entry(one.entry, item)


def _fault_of_file(one: Found, item: Wanted) -> str:
    if one.file is FileState.CHANGED:
        return f"{one.entry.interpreter} was changed after it was registered, so the old one may still be running"
    if one.file is FileState.MISSING:
        return f"{one.entry.interpreter} does not exist here: deleted, or inside a container image"
    if item.given and one.entry.interpreter != item.registration.interpreter:
        return f"it runs {one.entry.interpreter}"
    return ""


def _fault_of_entry(entry: Entry, item: Wanted) -> str:
    if is_temporary(entry):
        return "it is left from an installation that was cut short"
    if not entry.enabled:
        return "it is switched off"
    if not _claims(entry, item.arch):
        return f"it does not claim programs of {item.arch.name}"
    return oddity(entry, item.arch) or _fault_of_flags(entry, item)


def _fault_of_flags(entry: Entry, item: Wanted) -> str:
    wanted, has = normal_flags(item.registration.flags), normal_flags(entry.flags)
    if lacking := [letter for letter in wanted if letter not in has]:
        return f"it lacks flag {', '.join(f'{letter} ({_MEANING[letter]})' for letter in lacking)}"
    if item.flags_given and (extra := [letter for letter in has if letter not in wanted]):
        return f"it has flag {', '.join(extra)}, which is not wanted"
    return ""


_MEANING = {"F": "works inside other root folders", "C": "set-uid programs", "O": "programs that may not be read", "P": "keeps argv[0]"}
