"""The machine that a spec would become here, without making anything."""

from __future__ import annotations

from quarterdeck.core.arch import find_arch, host_arch
from quarterdeck.core.report import silent
from quarterdeck.host.probe import probe
from quarterdeck.machine.compose import compose
from quarterdeck.machine.explain import Explanation, explain
from quarterdeck.machine.resolve import resolve
from quarterdeck.machine.spec import Accel, MachineSpec, NetworkMode
from quarterdeck.runtime import assets
from quarterdeck.runtime.store import MachineStore


async def preview(spec: MachineSpec) -> Explanation:
    """Return what :class:`Supervisor` would decide for a new machine made of ``spec`` now.

    Raises:
        QuarterdeckError: as for running it.
    """
    layout, anchored = MachineStore().imagine(spec)
    arch = find_arch(anchored.arch) if anchored.arch else host_arch()
    chosen = any(card.mode is NetworkMode.AUTO for card in anchored.networks)
    facts = await probe(arch, accel=anchored.accel is not Accel.TCG, passt=chosen, machine=layout.root.name)
    found = await assets.describe(anchored, arch, silent)
    resolved = resolve(anchored, facts, found, layout)
    return explain(resolved, compose(resolved, descriptors=False))
