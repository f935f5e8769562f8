"""Runs a command in the image of each platform: natively, or by the emulator that the host has, or by one of our own."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quarterdeck.binfmt.change.install import native_names, wanted_of
from quarterdeck.binfmt.change.plan import plan_install
from quarterdeck.binfmt.emulators.offer import Source, find_offer
from quarterdeck.binfmt.private.instance import open_instance
from quarterdeck.binfmt.selection import select
from quarterdeck.binfmt.status.model import Runs
from quarterdeck.binfmt.status.read import read_status
from quarterdeck.build.check.engine import ENGINES, SmokeEngine
from quarterdeck.build.check.finding import Finding, Key, Severity
from quarterdeck.build.oci.layout import ImageSource
from quarterdeck.build.oci.merge import single
from quarterdeck.build.oci.words import printable
from quarterdeck.build.oci.write_archive import write_docker_archive
from quarterdeck.build.platform import Platform
from quarterdeck.core import paths
from quarterdeck.core.arch import Arch, host_arch
from quarterdeck.core.process import Completed, describe_status, find, run
from quarterdeck.core.report import Reporter, Step, StepStatus, silent
from quarterdeck.errors import DeadlineError, HostError, QuarterdeckError, UsageError

_ENGINE_SECONDS = 600.0
_LINES = 5
_NOT_STARTED = frozenset({125, 126})
"""Exit statuses of engines that could not start the command; podman-run(1), "Exit Status"."""


@dataclass(frozen=True)
class SmokeOptions:
    """How commands are run: at most ``timeout`` seconds each, by ``engine`` or (None) the first of podman, docker, buildah that is there.

    ``env`` is laid over the engine's environment.
    """

    timeout: float = 300.0
    engine: str | None = None
    env: Mapping[str, str] | None = None


@dataclass(frozen=True)
class SmokeRun:
    """How a command ended: exit ``status`` (None: not run), the last lines of its ``output``, and how it was run."""

    platform: Platform
    runs: str
    engine: str
    status: int | None
    output: str

    def to_json(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return {**vars(self), "platform": str(self.platform)}


@dataclass(frozen=True)
class _Runner:
    """``how`` programs run, what ``wrap`` puts before the engine's words for it, and what comes into its environment."""

    how: str
    wrap: Callable[[Sequence[str]], list[str]]
    env: Mapping[str, str]


def smoke(
    source: ImageSource,
    command: Sequence[str],
    platforms: Sequence[Platform],
    *,
    options: SmokeOptions | None = None,
    report: Reporter = silent,
) -> tuple[list[SmokeRun], list[Finding]]:
    """Run ``command`` in the image of each platform, without its entry point, and say where it failed.

    podman and docker give it no network. An engine that cannot start a container is passed over for the next. Where the host has no
    emulator, buildah comes first: other containers need control groups, which root of a namespace of our own has not.

    Raises:
        HostError: no engine is installed.
        UsageError: the command is empty, or the engine is none.
    """
    if not command:
        raise UsageError("no-command", "there is no command to run in the images")
    chosen = options or SmokeOptions()
    _installed(chosen.engine)
    runs: list[SmokeRun] = []
    findings: list[Finding] = []
    for number, platform in enumerate(platforms):
        report(Step("smoke", StepStatus.RUNNING, str(platform), done=number, total=len(platforms)))
        done = _run_anyhow(source, command, platform, options=chosen)
        runs.append(done)
        findings += [] if done.status == 0 else [_finding(done, command)]
    report(Step("smoke", StepStatus.DONE, done=len(platforms), total=len(platforms)))
    return runs, findings


def _finding(done: SmokeRun, command: Sequence[str]) -> Finding:
    called = printable(" ".join(command))
    if done.status is None:
        return Finding(Key.SMOKE_NOT_RUN, Severity.ERROR, f"'{called}' could not be run: {done.output}", done.platform)
    ended = describe_status(done.status)
    last = done.output.splitlines()[-1] if done.output else "no output"
    return Finding(Key.SMOKE_FAILED, Severity.ERROR, f"'{called}' {ended} ({done.runs}): {last}", done.platform)


def _installed(name: str | None) -> list[SmokeEngine]:
    """Return the engines that may be used and are there, the best first."""
    if name is not None and name not in ENGINES:
        raise UsageError("unknown-engine", f"'{name}' is no engine", hint=f"known are {', '.join(ENGINES)}")
    found = [engine for engine in ENGINES.values() if name in (None, engine.name) and find(engine.name)]
    if not found:
        wanted = name or "podman, docker or buildah"
        raise HostError("engine-missing", f"{wanted} is needed to run a command in the images", hint="install one of them")
    return found


def _run_anyhow(source: ImageSource, command: Sequence[str], platform: Platform, *, options: SmokeOptions) -> SmokeRun:
    """Run the command by the first engine that can start it; the first one's failure when none can."""
    failed: list[SmokeRun] = []
    for engine, inside in _engines(options.engine, platform.arch):
        try:
            with inside as runner:
                done = _run_one(source, command, platform, engine=engine, runner=runner, options=options)
        except QuarterdeckError as error:
            done = SmokeRun(platform, "", engine.name, None, f"{error.message}: {error.reason}" if error.reason else error.message)
        if done.status is not None and done.status not in _NOT_STARTED:
            return done
        failed.append(done)
    return failed[0]


def _engines(name: str | None, arch: Arch | None) -> Iterator[tuple[SmokeEngine, contextlib.AbstractContextManager[_Runner]]]:
    """Yield the engines for programs of ``arch``, and what has their words run with an emulator if one is needed."""
    engines = _installed(name)
    found = next((one for one in read_status().platforms if one.arch == arch), None)
    if found is None or arch is None or found.runs is not Runs.NO:
        how = "native" if found is not None and found.runs is Runs.NATIVE else "emulated"
        yield from ((engine, contextlib.nullcontext(_Runner(how, list, {}))) for engine in engines)
        return
    yield from ((engine, _private(arch, engine)) for engine in reversed(engines) if not engine.daemon)  # buildah first
    # A daemon may run on another host, with emulators that we do not see.
    yield from ((engine, contextlib.nullcontext(_Runner("emulated", list, {}))) for engine in engines if engine.daemon)


def _run_one(
    source: ImageSource, command: Sequence[str], platform: Platform, *, engine: SmokeEngine, runner: _Runner, options: SmokeOptions
) -> SmokeRun:
    image = single(source, platform)
    tag = f"localhost/quarterdeck-smoke:{image.root.digest.partition(':')[2][:16]}"
    with tempfile.TemporaryDirectory(prefix="quarterdeck-smoke-") as work:
        archive = Path(work, "image.tar")
        write_docker_archive(image, archive, names=[tag])
        env = {**(options.env or {}), **engine.env, **runner.env}

        def call(words: Sequence[str], *, timeout: float = _ENGINE_SECONDS, check: bool = True) -> Completed:
            return run(runner.wrap(words), timeout=timeout, check=check, env=env)

        for words in engine.load(archive, tag):
            call(words)
        try:
            for words in engine.prepare(tag):
                call(words)
            done = call(engine.run(tag, str(platform), command), timeout=options.timeout, check=False)
        except DeadlineError as error:
            return SmokeRun(platform, runner.how, engine.name, None, error.message)
        finally:
            for words in engine.clean(tag):
                call(words, check=False)
    return SmokeRun(platform, runner.how, engine.name, done.returncode, _tail(done))


def _tail(done: Completed) -> str:
    lines = (done.stdout + done.stderr).decode(errors="replace").strip().splitlines()[-_LINES:]
    return "\n".join(printable(line) for line in lines)


@contextlib.contextmanager
def _private(arch: Arch, engine: SmokeEngine) -> Iterator[_Runner]:
    """Have an emulator for ``arch`` in a user namespace, and nowhere else."""
    selection = select([arch.name])
    offer = find_offer(selection, Source(copies=paths.cache() / "emulators"), write=True)
    plan = plan_install(wanted_of(selection, offer.emulators), [], host=host_arch(), native=native_names())
    for step in plan.refusals:
        raise HostError("binfmt-refused", f"{step.name} cannot be registered", reason=step.reason)
    with open_instance(plan.registrations, root=True) as instance:
        yield _Runner("emulated in a namespace of its own", instance.argv, engine.inside_namespace())
