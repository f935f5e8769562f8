"""The whole of ``qd build`` after the plan: build, remember, merge, look at it, and bring it where it belongs."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from quarterdeck.build.check.report import CheckReport
from quarterdeck.build.engines.events import StepState
from quarterdeck.build.nodes.choice import Assignment, Emulation, Placement, Policy
from quarterdeck.build.oci.merge import single
from quarterdeck.build.oci.model import Descriptor
from quarterdeck.build.output.deliver import Delivery, Product, deliver
from quarterdeck.build.output.destination import Destination
from quarterdeck.build.planning.history import record
from quarterdeck.build.planning.measured import Timing, samples
from quarterdeck.build.planning.model import BuildPlan, PlanOptions
from quarterdeck.build.planning.place import Resolver, resolver
from quarterdeck.build.platform import Platform
from quarterdeck.build.run.crew import Built, Crew, Rescue, Site
from quarterdeck.build.run.events import RunReporter
from quarterdeck.build.run.finish import Wishes, join, look_ahead, prove
from quarterdeck.build.run.order import BuildOrder
from quarterdeck.core.report import Step, StepStatus


@dataclass(frozen=True, kw_only=True)
class Job:
    """Everything that is decided before the first build starts.

    ``rescue`` has platforms of a node that dies emulated elsewhere.
    """

    order: BuildOrder
    plan: BuildPlan
    sites: Sequence[Site]
    emulation: Emulation
    wishes: Wishes
    places: tuple[Destination, ...]
    checked: bool = True
    rescue: Rescue | None = None


@dataclass(frozen=True)
class Digests:
    """The digests of one image: of its manifest, and of its configuration."""

    manifest: str
    config: str


@dataclass(frozen=True, kw_only=True)
class Finished:
    """What came of it: each platform's build, the whole, where it is, and what was found in it (None: not looked at)."""

    built: tuple[Built, ...]
    root: Descriptor
    names: tuple[str, ...]
    images: Mapping[Platform, Digests]
    deliveries: tuple[Delivery, ...]
    report: CheckReport | None


async def run_job(job: Job, *, report: RunReporter) -> Finished:
    """Do it all; nothing is delivered unless every platform was built and is what it says.

    Raises:
        QuarterdeckError: whatever went wrong; the engines' caches keep what was built, so that the next try is quick.
    """
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="qd-build-")))
        crew = Crew(
            job.order,
            job.sites,
            _assignment(job.plan),
            policy=_policy(job),
            resolve=_resolver(job.order),
            report=report,
            rescue=job.rescue,
            then=_look_ahead if job.checked else None,
        )
        built = await crew.build(folder)
        await asyncio.to_thread(_remember, job.plan, built)
        report(Step("merge", StepStatus.RUNNING, ", ".join(str(one.platform) for one in built)))
        product = await asyncio.to_thread(join, built, job.wishes, stack=stack)
        report(Step("merge", StepStatus.DONE, product.source.root.digest))
        # Whatever happens, what the proof reads is not closed before it ended.
        prover = stack.enter_context(ThreadPoolExecutor(1))
        proof = prover.submit(prove, product, report=report) if job.checked else None
        deliveries = await deliver(product, job.places, proof=proof, report=report)
        return Finished(
            built=built,
            root=product.source.root,
            names=product.names,
            images={platform: _digests(product, platform) for platform in product.platforms},
            deliveries=deliveries,
            report=proof.result() if proof is not None else None,
        )


async def _look_ahead(built: Built) -> None:
    await asyncio.to_thread(look_ahead, built)


def _digests(product: Product, platform: Platform) -> Digests:
    source = single(product.source, platform)
    return Digests(source.root.digest, source.manifest().config.digest)


def _policy(job: Job) -> Policy:
    """Return what holds when platforms have to move: those that run no program of theirs may go anywhere."""
    return Policy(job.emulation, frozenset(one.platform for one in job.plan.platforms if one.runs is None))


def _resolver(order: BuildOrder) -> Resolver:
    arguments = {name: value for name, value in order.build_args.items() if value is not None}
    return resolver(order.dockerfile, PlanOptions(arguments=arguments, stage=order.target or None, contexts=order.build_contexts))


def _assignment(plan: BuildPlan) -> Assignment:
    placements = {
        one.platform: Placement(one.platform, one.node, one.runs, one.seconds() or 0.0, one.reason, one.others) for one in plan.platforms
    }
    return Assignment(placements)


def _remember(plan: BuildPlan, built: Sequence[Built]) -> None:
    """Keep how long each step took, for the next plan; a history that cannot be written is no reason to lose a build."""
    plans = {(one.platform, one.node): one for one in plan.platforms}
    with contextlib.suppress(OSError):
        for one in built:
            planned = plans.get((one.platform, one.node))
            if planned is not None:
                timings = [
                    Timing(step.step.stage, step.step.number, step.step.text, step.seconds)
                    for step in one.result.steps
                    if step.state is StepState.DONE and step.seconds is not None
                ]
                record(samples(planned, timings, time=time.time()))
