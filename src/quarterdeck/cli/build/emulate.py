"""Builds without any set-up: an emulator that is missing here is registered where we may do it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from quarterdeck.binfmt.change.install import Outcome
from quarterdeck.binfmt.prove.proof import Proof
from quarterdeck.binfmt.selection import select
from quarterdeck.binfmt.setup import Request, set_up
from quarterdeck.build.nodes.model import Kind
from quarterdeck.build.planning.model import BuildPlan, Mode
from quarterdeck.build.run.crew import Site
from quarterdeck.core.arch import Arch
from quarterdeck.errors import QuarterdeckError


def missing_emulators(plan: BuildPlan) -> tuple[Arch, ...]:
    """Return the architectures whose programs a plan would have to run and no node can."""
    stages = (stage for one in plan.platforms for stage in one.stages if stage.mode is Mode.IMPOSSIBLE)
    return tuple(dict.fromkeys(arch for stage in stages if (arch := stage.platform.arch) is not None and arch.user))


def register(arches: Sequence[Arch], sites: Sequence[Site], *, say: Callable[[str], None]) -> bool:
    """Register emulators of ``arches`` on this host, if it is among the nodes and we are root; return whether that was done.

    They stay until the next boot. What cannot be done is left to the error that names the commands.
    """
    if not arches or os.geteuid() != 0 or not any(site.node.kind is Kind.LOCAL for site in sites):
        return False
    names = [arch.name for arch in arches]
    say(f"registering emulators of {', '.join(names)} with the kernel, until the next boot; 'qd binfmt install' keeps them")
    try:
        _, proofs = _set_up(names)
    except QuarterdeckError as error:
        say(f"that failed: {error.message}: {error.reason}")
        return False
    return all(proof.ok for proof in proofs)


def _set_up(names: Sequence[str]) -> tuple[Outcome, list[Proof]]:
    return set_up(Request(select(names)), keeper=None)
