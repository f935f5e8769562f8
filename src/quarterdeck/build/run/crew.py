"""Runs the builds of all platforms side by side, each within the slots of its node, and moves those of a node that dies."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from quarterdeck.build.engines.choice import choose_engine, title
from quarterdeck.build.engines.engine import Engine
from quarterdeck.build.engines.events import BuildEvent
from quarterdeck.build.engines.find import Found, find_engines
from quarterdeck.build.engines.needs import needs
from quarterdeck.build.engines.request import BuildRequest, BuildResult
from quarterdeck.build.nodes.choice import Assignment, Loss, Policy, fail_over
from quarterdeck.build.nodes.model import EngineName, Node, NodeFacts, Runs
from quarterdeck.build.planning.place import Resolver, build_platform
from quarterdeck.build.platform import Platform
from quarterdeck.build.run.disk import explained
from quarterdeck.build.run.events import Ended, Progressed, RunReporter, Started, Waiting
from quarterdeck.build.run.loss import Verdict, examine, meant
from quarterdeck.build.run.old_buildah import for_engine
from quarterdeck.build.run.old_docker import for_docker
from quarterdeck.build.run.order import BuildOrder
from quarterdeck.build.run.private import PrivateEmulators
from quarterdeck.build.run.way import way_to
from quarterdeck.core.report import Level, Message
from quarterdeck.errors import HostError, QuarterdeckError, TargetError


@dataclass(frozen=True)
class Site:
    """A node: its configuration, and what is known of it; ``private`` emulators are for the builds that need them."""

    node: Node
    facts: NodeFacts
    private: PrivateEmulators | None = None


Rescue = Callable[[Sequence[Site], Sequence[Platform], Callable[[str], None]], Awaitable[Sequence[Site]]]
"""Has emulated, by one of the sites that are left, platforms that only a lost node could run; says what it does."""


@dataclass(frozen=True)
class Built:
    """The image of one platform, and where it was made; ``runs`` is None when none of its programs ran there."""

    platform: Platform
    node: str
    runs: Runs | None
    result: BuildResult


Then = Callable[[Built], Awaitable[None]]
"""Is done with each platform that is built, as long as others are not."""


class BuildsFailedError(TargetError):
    """Several platforms failed; the first failure speaks for all, the others stand in its reason."""

    def __init__(self, failures: Mapping[Platform, QuarterdeckError]) -> None:
        first = next(iter(failures.values()))
        names = ", ".join(str(platform) for platform in failures)
        lines = [f"{platform}: {error.message}{f': {error.reason}' if error.reason else ''}" for platform, error in failures.items()]
        super().__init__("builds-failed", f"the builds for {names} failed", reason="\n".join(lines), hint=first.hint)
        self.failures = failures


def _engine_missing(wanted: EngineName, found: Found, node: str) -> HostError:
    there = ", ".join(map(title, found.engines)) or "no engine"
    absent = found.absent.get(wanted)
    reason = f"{absent}; there is {there}" if absent else f"there is {there}"
    return HostError(
        "engine-missing", f"{wanted.value} cannot build on node {node}", reason=reason, hint="name another with --engine, or none"
    )


class Crew:
    """One run: where each platform is built may change while it goes on."""

    def __init__(
        self,
        order: BuildOrder,
        sites: Sequence[Site],
        assignment: Assignment,
        *,
        policy: Policy,
        resolve: Resolver,
        report: RunReporter,
        rescue: Rescue | None = None,
        then: Then | None = None,
    ) -> None:
        self._order = order
        self._resolve = resolve
        self._sites = {site.node.name: site for site in sites}
        self._assignment = assignment
        self._policy = policy
        self._report = report
        self._rescue = rescue
        self._then = then
        self._slots = {name: asyncio.Semaphore(site.facts.slots) for name, site in self._sites.items()}
        self._found: dict[tuple[str, PrivateEmulators | None, bool], asyncio.Task[Found]] = {}
        self._lost: set[str] = set()
        self._tried_again: set[tuple[str, Platform]] = set()
        self._examining = asyncio.Lock()
        self._built: dict[Platform, Built] = {}

    async def build(self, folder: Path) -> tuple[Built, ...]:
        """Build every platform, each into an archive in ``folder``, and return them in the order's order.

        The first failure ends the others, unless the order says to keep going; cancelling ends them all.

        Raises:
            QuarterdeckError: the one failure there was.
            BuildsFailedError: several there were.
        """
        failures: dict[Platform, QuarterdeckError] = {}
        async with contextlib.AsyncExitStack() as stack:
            jobs = {asyncio.create_task(self._one(platform, folder, stack)): platform for platform in self._order.platforms}
            try:
                await self._watch(jobs, failures)
            finally:
                for job in jobs:
                    job.cancel()
                await asyncio.gather(*jobs, return_exceptions=True)
        if len(failures) > 1:
            raise BuildsFailedError(failures)
        for error in failures.values():
            raise error
        return tuple(self._built[platform] for platform in self._order.platforms)

    async def _watch(self, jobs: Mapping[asyncio.Task[None], Platform], failures: dict[Platform, QuarterdeckError]) -> None:
        """Wait for the jobs; after a failure only if the order keeps going."""
        pending = set(jobs)
        while pending:
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            for job in done:
                error = job.exception()
                if isinstance(error, QuarterdeckError):
                    failures[jobs[job]] = error
                elif error is not None:
                    raise error
            if failures and not self._order.keep_going:
                return

    async def _one(self, platform: Platform, folder: Path, stack: contextlib.AsyncExitStack) -> None:
        """Build one platform, again when its node or the engine there dies."""
        while True:
            site = self._site(platform)
            try:
                self._built[platform] = await self._on(site, platform, folder, stack)
            except QuarterdeckError as error:
                if not await self._goes_on(site, platform, error):
                    raise
            else:
                if self._then is not None and len(self._built) < len(self._order.platforms):
                    await self._then(self._built[platform])
                return

    def _site(self, platform: Platform) -> Site:
        placement = self._assignment.placements.get(platform)
        if placement is None:
            reason = self._assignment.missing.get(platform, "no node runs it")
            raise TargetError("no-node", f"nothing can build {platform} any more", reason=reason, hint="'qd nodes ls' shows the nodes")
        return self._sites[placement.node]

    async def _on(self, site: Site, platform: Platform, folder: Path, stack: contextlib.AsyncExitStack) -> Built:
        name = site.node.name
        runs = self._assignment.placements[platform].runs
        slot = self._slots[name]
        if slot.locked():
            self._report(Waiting(platform, name))
        async with slot:
            since = time.monotonic()
            try:
                request = self._order.request(platform, folder / f"{platform.tag}.tar", emulated=runs is Runs.EMULATED)
                graph = self._resolve(platform, build_platform(site.facts))
                private = site.private if site.private is not None and site.private.needed_by(graph) else None
                engine = await self._engine(replace(site, private=private), request, stack)
                request = for_engine(request, engine, self._order.dockerfile, graph)
                request = for_docker(request, engine, self._order.dockerfile, graph)
                self._report(Started(platform, name, title(engine), runs))
                result = await self._build(engine, request)
            except QuarterdeckError as failed:
                error = explained(failed, platform)
                self._report(Ended(platform, name, time.monotonic() - since, error))
                raise error from failed
            self._report(Ended(platform, name, time.monotonic() - since))
            return Built(platform, name, runs, result)

    async def _build(self, engine: Engine, request: BuildRequest) -> BuildResult:
        """Build, and say what the result notes unless the engine has said it."""
        said: set[str] = set()

        def tell(event: BuildEvent) -> None:
            if isinstance(event, Message):
                said.add(event.text)
            self._report(Progressed(request.platform, event))

        result = await engine.build(request, report=tell)
        for note in dict.fromkeys(result.notes):
            if note not in said:
                tell(Message(Level.WARNING, note))
        return result

    async def _engine(self, site: Site, request: BuildRequest, stack: contextlib.AsyncExitStack) -> Engine:
        """Return the engine to build with; only one that the order names is taken, where it names one."""
        found = await self._engines(site, request.platform, stack)
        engines, wanted = found.engines, self._order.engine
        if wanted is not None:
            engines = tuple(engine for engine in engines if engine.name in meant(wanted))
            if not engines:
                raise _engine_missing(wanted, found, site.node.name)
        return choose_engine(engines, needs(self._order.dockerfile, request), preference=wanted or site.node.engine).engine

    async def _engines(self, site: Site, platform: Platform, stack: contextlib.AsyncExitStack) -> Found:
        """Return the engines of a node; all its platforms that go the same way share it and the answer.

        A way to an engine that went away leads nowhere.
        """
        way = (site.node.name, site.private, (site.node.name, platform) in self._tried_again)
        if way not in self._found:
            self._found[way] = asyncio.create_task(self._find(site, stack))
        return await asyncio.shield(self._found[way])

    async def _find(self, site: Site, stack: contextlib.AsyncExitStack) -> Found:
        way = await stack.enter_async_context(way_to(site.node, site.facts, preference=self._order.engine, private=site.private))
        wanted = self._order.engine
        found = await find_engines(way.endpoint, way.engines.intersection(meant(wanted)) if wanted else way.engines)
        if not found.engines:  # why none of the others can be used is worth the time then
            found = await find_engines(way.endpoint)
        return Found(tuple(engine for engine in found.engines if engine.name in way.engines), found.absent)

    async def _goes_on(self, site: Site, platform: Platform, error: QuarterdeckError) -> bool:
        """Whether the failure is the node's, not the build's; then the platform is to be built again, there or elsewhere."""
        name, order = site.node.name, self._order
        async with self._examining:
            if name in self._lost:
                return True
            again = (name, platform) in self._tried_again
            found = await examine(site.node, error, platforms=order.platforms, engine=order.engine, tried_again=again)
            match found.verdict:
                case Verdict.BUILD:
                    return False
                case Verdict.AGAIN if found.facts is not None:
                    self._try_again(name, platform, found.facts)
                case _:
                    await self._lose(name, found.problem)
        return True

    def _try_again(self, name: str, platform: Platform, facts: NodeFacts) -> None:
        """Note the second chance of a node, which has the engines of ``facts`` now."""
        site = self._sites[name]
        self._sites[name] = replace(site, facts=replace(site.facts, engines=facts.engines))
        self._tried_again.add((name, platform))
        self._report(
            Message(Level.WARNING, f"the engine of node {name} went away, and the node answers: {platform} is tried once more there")
        )

    async def _lose(self, name: str, problem: str) -> None:
        """Move the platforms of a node; what no other can run is emulated where that is possible.

        Raises:
            QuarterdeckError: it cannot be emulated.
        """
        self._lost.add(name)
        moved, loss = self._fail_over(name, problem)
        failed: QuarterdeckError | None = None
        if loss.lost and self._rescue is not None:
            try:
                await self._have_emulated(tuple(loss.lost), self._rescue)
                moved, loss = self._fail_over(name, problem)
            except QuarterdeckError as error:
                failed = error
        self._assignment = moved
        self._report(Message(Level.WARNING, loss.text()))
        if failed is not None:
            raise failed

    def _fail_over(self, name: str, problem: str) -> tuple[Assignment, Loss]:
        facts = [site.facts for site in self._living()]
        return fail_over(self._assignment, name, facts, problem=problem, done=set(self._built), policy=self._policy)

    async def _have_emulated(self, platforms: Sequence[Platform], rescue: Rescue) -> None:
        for site in await rescue(self._living(), platforms, lambda text: self._report(Message(Level.INFO, text))):
            self._sites[site.node.name] = site

    def _living(self) -> list[Site]:
        return [site for name, site in self._sites.items() if name not in self._lost]
