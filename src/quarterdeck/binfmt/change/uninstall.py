"""What an uninstallation removes: entries of QEMU, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence

from quarterdeck.binfmt.change.plan import Action, Plan, Step, how_to_remove
from quarterdeck.binfmt.entries.kind import arch_of, is_emulator
from quarterdeck.binfmt.selection import select_entries
from quarterdeck.host.binfmt_misc import Entry


def plan_uninstall(words: Sequence[str], entries: Sequence[Entry]) -> Plan:
    """Return what has to be removed for ``words``: names of entries, architectures, OCI platforms, patterns, ``all``.

    Raises:
        UsageError: a word names nothing.
    """
    return Plan(tuple(_step(entry) for entry in select_entries(words, entries)))


def _step(entry: Entry) -> Step:
    arch = arch_of(entry)
    if is_emulator(entry):
        return Step(action=Action.REMOVE, name=entry.name, arch=arch, old=(entry,), reason=f"it runs {entry.interpreter}")
    reason = f"it runs {entry.interpreter}, which is not QEMU"
    return Step(action=Action.REFUSE, name=entry.name, arch=arch, reason=reason, hint=how_to_remove(entry))
