"""Exchanges entries so that at every moment some emulator is registered: whoever kills us leaves something that works.

The order is the whole trick. Newer entries are asked first, and a name is free only after its entry is gone. So the new
registration is made under a temporary name, then the old entries go, then it is made again under its own name, and the temporary
one goes last. What a kill leaves behind, the next plan finds by its name and replaces.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from quarterdeck.binfmt.entries.kind import final_name, is_temporary, temporary_name
from quarterdeck.binfmt.kernel.registration import Registration
from quarterdeck.binfmt.kernel.registry import Registry


def exchange(registry: Registry, targets: Sequence[Registration], *, remove: Iterable[str]) -> None:
    """Remove the entries named in ``remove`` and have all ``targets``, of which the first stands in for all in between.

    Targets that are there already and not to be removed stay as they are. Without targets the entries are just removed.

    Raises:
        HostError: the kernel refused something; what was changed so far stays.
        UsageError: a target cannot be written to the kernel.
    """
    names = [entry.name for entry in registry.entries()]
    doomed = [name for name in dict.fromkeys(remove) if name in names]
    stand_in = _stand_in(registry, targets, doomed) if targets else None
    for name in doomed:
        registry.remove(name)
    for target in targets:
        registry.register(target)
    if stand_in is not None:
        registry.remove(stand_in)


def leftovers(registry: Registry, names: Iterable[str]) -> list[str]:
    """Return the temporary entries that stand in for one of ``names``."""
    wanted = set(names)
    return [entry.name for entry in registry.entries() if is_temporary(entry) and final_name(entry) in wanted]


def _stand_in(registry: Registry, targets: Sequence[Registration], doomed: Sequence[str]) -> str | None:
    """Register the first target before anything goes; where its name is still taken under a temporary one, which is returned."""
    first = targets[0]
    if first.name not in doomed:
        registry.register(first)
        return None
    taken = [*(entry.name for entry in registry.entries()), *(target.name for target in targets)]
    name = temporary_name(first.name, taken)
    registry.register(replace(first, name=name))
    return name
