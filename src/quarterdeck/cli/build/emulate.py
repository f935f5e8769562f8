"""Builds without any set-up: an emulator that is missing here is registered by root, and for others given to their build alone."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from quarterdeck.binfmt.kernel.instance import in_first_user_namespace
from quarterdeck.binfmt.selection import Selection
from quarterdeck.binfmt.setup import Request, preview, set_up
from quarterdeck.build.nodes.choice import Emulation
from quarterdeck.build.nodes.model import Kind, NodeFacts
from quarterdeck.build.planning.model import BuildPlan, Mode
from quarterdeck.build.planning.problems import as_error
from quarterdeck.build.run.crew import Site
from quarterdeck.build.run.order import BuildOrder
from quarterdeck.build.run.private import open_private, with_emulated
from quarterdeck.core.arch import Arch, host_arch
from quarterdeck.errors import HostError, QuarterdeckError

Say = Callable[[str], None]
_MISSING = "emulator-missing"
_TRIED = "an emulator of the build's own runs it, in a user namespace; a program of it ran there"
_FOUND = "its emulator is here and will be registered; it was not tried"


def missing_emulators(plan: BuildPlan) -> tuple[Arch, ...]:
    """Return the architectures whose programs a plan would have to run and no node can."""
    return tuple(arch for arch in _arches(plan, Mode.IMPOSSIBLE) if arch != host_arch())


async def emulate(
    plan: BuildPlan,
    sites: Sequence[Site],
    again: Callable[[], Awaitable[tuple[Site, ...]]],
    *,
    stack: contextlib.ExitStack,
    say: Say,
    quiet: bool = False,
    order: BuildOrder | None = None,
) -> tuple[Site, ...]:
    """Have emulated on this host, if it is among the nodes ``sites``, what ``plan`` lacks; return the sites as they are then.

    Root registers emulators until the next boot. An ordinary user gets them for this build, until ``stack`` is closed. Where the plan
    may not emulate, it is only shown where it would have to.

    Args:
        plan: as made with what the nodes are now.
        sites: the nodes.
        again: asks the nodes once more.
        stack: what has to stay open as long as the build.
        say: says a line to the user.
        quiet: only what changes the host is said.
        order: what will be built, None for anything.

    Raises:
        HostError: it cannot be done; it says why, and what to run.
    """
    missing = missing_emulators(plan)
    if not missing or not any(_may_emulate(site.facts) for site in sites):
        return tuple(sites)
    if plan.emulation is Emulation.NEVER:
        seen = foresee(plan, [site.facts for site in sites])
        return tuple([replace(site, facts=facts) for site, facts in zip(sites, seen, strict=True)])
    try:
        if os.geteuid() == 0 and await _registered(missing, say):
            return await again()
        beside = [arch for arch in _arches(plan, Mode.EMULATED) if arch not in missing]
        found = tuple([_with_private(site, missing, beside, stack=stack, order=order) for site in sites])
    except QuarterdeckError as problem:
        raise _refused(plan, missing, problem) from problem
    if not quiet:
        say(f"emulating {_words(missing)} for this build alone, in a user namespace: nothing of this host is changed")
    return found


def foresee(plan: BuildPlan, nodes: Sequence[NodeFacts]) -> tuple[NodeFacts, ...]:
    """Return the facts of ``nodes`` with what a build would have emulated on this host, which :func:`emulate` sees to."""
    missing = missing_emulators(plan)
    return tuple([_foreseen(missing, facts) if missing and _may_emulate(facts) else facts for facts in nodes])


def _may_emulate(facts: NodeFacts) -> bool:
    """Whether a node is this host; nothing is registered where nothing could use it."""
    return facts.kind is Kind.LOCAL and facts.healthy and (bool(facts.engines) or os.geteuid() != 0)


def _foreseen(missing: Sequence[Arch], facts: NodeFacts) -> NodeFacts:
    try:
        if os.geteuid() == 0:
            plan, _ = preview(_request(missing))
            return facts if plan.refusals else with_emulated(facts, missing, _FOUND)
        with open_private(missing, facts):
            return with_emulated(facts, missing, _TRIED)
    except QuarterdeckError:
        return facts


async def _registered(arches: Sequence[Arch], say: Say) -> bool:
    """Register emulators with the kernel; return False where a namespace of our own may still do.

    Raises:
        QuarterdeckError: they cannot be registered, or do not work.
    """
    say(f"registering emulators of {_words(arches)} with the kernel, until the next boot; 'qd binfmt install' keeps them")
    try:
        await asyncio.to_thread(_register, arches)
    except QuarterdeckError as error:
        # The host's root has images whose layers look different in a namespace: only the host may say which attributes hide files.
        if in_first_user_namespace():
            raise
        say(f"that failed: {error.message}: {error.reason}")
        return False
    return True


def _request(arches: Sequence[Arch]) -> Request:
    return Request(Selection(tuple(arches), frozenset(arch.name for arch in arches)))


def _register(arches: Sequence[Arch]) -> None:
    _, proofs = set_up(_request(arches), keeper=None)
    failed = [proof.arch.name for proof in proofs if not proof.ok]
    if failed:
        hint = f"'qd binfmt prove {' '.join(failed)}' shows more"
        raise HostError("emulator-broken", f"the emulators of {', '.join(failed)} do not run their programs", hint=hint)


def _with_private(
    site: Site, missing: Sequence[Arch], beside: Sequence[Arch], *, stack: contextlib.ExitStack, order: BuildOrder | None
) -> Site:
    if not _may_emulate(site.facts):
        return site
    # Those of before, where a node died meanwhile, are needed still.
    arches = [*(site.private.arches if site.private is not None else ()), *missing]
    private = stack.enter_context(open_private(arches, site.facts, beside=beside, order=order))
    return replace(site, private=private, facts=with_emulated(site.facts, missing, _TRIED))


def _arches(plan: BuildPlan, mode: Mode) -> tuple[Arch, ...]:
    """Return the architectures of the stages that run so, of those that QEMU runs programs of."""
    stages = (stage for one in plan.platforms for stage in one.stages if stage.mode is mode)
    return tuple(dict.fromkeys(arch for stage in stages if (arch := stage.platform.arch) is not None and arch.user))


def _refused(plan: BuildPlan, missing: Sequence[Arch], problem: QuarterdeckError) -> HostError:
    """Return the problems of a plan with what was tried against them, and all ways out."""
    error = as_error(plan)
    tried = f"emulation here: {problem.message}{f': {problem.reason}' if problem.reason else ''}"
    root = os.geteuid() == 0
    install = f"{'' if root else 'sudo '}qd binfmt install {' '.join(map(_word, missing))}"
    ways = [problem.hint] if root or problem.key == _MISSING else [f"register emulators for the whole host: {install}", problem.hint]
    ways.append("add a node: qd nodes add NAME ssh://HOST")
    return HostError(error.key, error.message, reason=f"{error.reason}\n{tried}", hint="; or ".join(filter(None, ways)))


def _words(arches: Sequence[Arch]) -> str:
    return ", ".join(map(_word, arches))


def _word(arch: Arch) -> str:
    """Return the name by which users of images and of Debian know an architecture."""
    return arch.debian or arch.name
