"""The way of ``qd build``: nodes asked, plan made and shown, missing emulators registered, builds run in one view."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from quarterdeck.build.nodes.choice import Emulation
from quarterdeck.build.oci.transfer import skopeo_program
from quarterdeck.build.output.destination import Destination, Kind
from quarterdeck.build.output.load import keeper, usual_place
from quarterdeck.build.planning.history import load
from quarterdeck.build.planning.make import make_plan
from quarterdeck.build.planning.model import BuildPlan, PlanOptions
from quarterdeck.build.planning.problems import check
from quarterdeck.build.planning.wanted import wanted_platforms
from quarterdeck.build.platform import Platform
from quarterdeck.build.run.crew import Rescue, Site
from quarterdeck.build.run.finish import Wishes
from quarterdeck.build.run.job import Finished, Job, run_job
from quarterdeck.build.run.order import BuildOrder
from quarterdeck.cli.build.emulate import emulate, missing_emulators
from quarterdeck.cli.build.missing import missing_in
from quarterdeck.cli.build.progress import open_view
from quarterdeck.cli.build.sites import sites_of
from quarterdeck.cli.build.summary import summary
from quarterdeck.cli.output import Progress, say
from quarterdeck.core.report import Level, Message


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the command line asks for; ``nodes`` empty means those in use."""

    order: BuildOrder
    wishes: Wishes
    places: tuple[Destination, ...]
    emulation: Emulation
    nodes: tuple[str, ...]
    checked: bool


async def perform(asked: Asked, *, mode: Progress, quiet: bool, plan_shown: bool) -> Finished:
    """Build what is asked for; ``quiet`` shows nothing but what goes wrong.

    Raises:
        QuarterdeckError: the plan cannot be carried out, or something failed on the way.
    """
    tell = _teller(mode)
    await _check_places(asked.places)
    asked = asked if asked.places else await _with_place(asked, None if quiet else tell)
    tried = wanted_platforms(asked.order.dockerfile, asked.order.platforms, _settings(asked.order, asked.emulation))

    def ask() -> Awaitable[tuple[Site, ...]]:
        return sites_of(asked.nodes, wanted=tried)

    with contextlib.ExitStack() as stack:
        sites = await ask()
        plan = _plan(asked, sites)
        if missing_emulators(plan):
            sites = await emulate(plan, sites, ask, stack=stack, say=tell, quiet=quiet, order=asked.order)
            plan = _plan(asked, sites)
        check(plan)
        if plan_shown:
            for line in summary(plan):
                say(line)
        missing = missing_in(asked.order.context, plan, asked.order.file)
        if not quiet:
            for line in dict.fromkeys([*_notes(sites), *plan.warnings, *missing]):
                tell(line, Level.WARNING)
        rescue = _rescue(asked, stack, quiet=quiet)
        return await _carry_out(asked, plan, sites, mode=mode, quiet=quiet, rescue=rescue)


def _notes(sites: Sequence[Site]) -> list[str]:
    """Return what is worth knowing of the nodes, first of those that are down."""
    down = [f"node {site.node.name} is left out: {site.facts.problem}" for site in sites if not site.facts.healthy]
    return [*down, *(note for site in sites for note in site.facts.notes)]


def _rescue(asked: Asked, stack: contextlib.ExitStack, *, quiet: bool) -> Rescue:
    """Return what has platforms of a node that dies emulated here, as :func:`emulate` does before the builds."""

    async def rescue(sites: Sequence[Site], platforms: Sequence[Platform], say: Callable[[str], None]) -> Sequence[Site]:
        left = replace(asked, order=replace(asked.order, platforms=tuple(platforms)))
        names = [site.node.name for site in sites]
        again = partial(sites_of, names, wanted=platforms)
        return await emulate(_plan(left, sites), sites, again, stack=stack, say=say, quiet=quiet, order=left.order)

    return rescue


async def _with_place(asked: Asked, tell: _Tell | None) -> Asked:
    """Choose a place before the build: engines need not pack what another one is to unpack."""
    place = await usual_place(asked.wishes.names)
    if place.path is not None and tell is not None:
        tell(f"no engine is here to load the image into, so it goes into {place.path}; --push or --output say otherwise")
    return replace(asked, places=(place,))


async def _check_places(places: Sequence[Destination]) -> None:
    """Look whether what brings the image to its places is here, before the time of a build is spent.

    Raises:
        HostError: skopeo is missing, or an engine that keeps images.
    """
    kinds = {place.kind for place in places}
    if Kind.REGISTRY in kinds:
        skopeo_program()
    if Kind.ENGINE in kinds:
        await keeper()


async def _carry_out(asked: Asked, plan: BuildPlan, sites: Sequence[Site], *, mode: Progress, quiet: bool, rescue: Rescue) -> Finished:
    with tempfile.TemporaryDirectory(prefix="qd-empty-") as empty, open_view(mode, asked.order.platforms, plan=plan, quiet=quiet) as report:
        packed = any(place.kind is not Kind.ENGINE for place in asked.places)
        order = replace(asked.order, context=asked.order.context or empty, packed=packed)
        job = Job(
            order=order,
            plan=plan,
            sites=sites,
            emulation=asked.emulation,
            wishes=asked.wishes,
            places=asked.places,
            checked=asked.checked,
            rescue=rescue,
        )
        return await run_job(job, report=report)


def _plan(asked: Asked, sites: Sequence[Site]) -> BuildPlan:
    order = asked.order
    settings = replace(_settings(order, asked.emulation), history=load())
    return make_plan(order.dockerfile, order.platforms, [site.facts for site in sites], settings)


def _settings(order: BuildOrder, emulation: Emulation) -> PlanOptions:
    return PlanOptions(
        arguments={name: value for name, value in order.build_args.items() if value is not None},
        stage=order.target or None,
        contexts=order.build_contexts,
        emulation=emulation,
    )


class _Tell(Protocol):
    def __call__(self, text: str, level: Level = Level.INFO) -> None: ...


def _teller(mode: Progress) -> _Tell:
    """Return what says a line before the builds have a view: programs that read JSON get it as such."""

    def tell(text: str, level: Level = Level.INFO) -> None:
        if mode is Progress.JSON:
            with open_view(mode, ()) as report:
                report(Message(level, text))
        elif level is Level.WARNING:
            say(f"warning: {text}", "yellow")
        else:
            say(text)

    return tell
