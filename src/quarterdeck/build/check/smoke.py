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


Wrap = Callable[[Sequence[str]], list[str]]


def smoke(
    source: ImageSource,
    command: Sequence[str],
    platforms: Sequence[Platform],
    *,
    options: SmokeOptions | None = None,
    report: Reporter = silent,
) -> tuple[list[SmokeRun], list[Finding]]:
    """Run ``command`` in the image of each platform, without its entry point and without a network, and say where it failed.

    Raises:
        HostError: no engine is installed.
        UsageError: the command is empty, or the engine is none.
    """
    if not command:
        raise UsageError("no-command", "there is no command to run in the images")
    chosen = options or SmokeOptions()
    engine = _engine(chosen.engine)
    runs: list[SmokeRun] = []
    findings: list[Finding] = []
    for number, platform in enumerate(platforms):
        report(Step("smoke", StepStatus.RUNNING, str(platform), done=number, total=len(platforms)))
        try:
            done = _run_one(source, command, platform, engine=engine, options=chosen)
        except QuarterdeckError as error:
            done = SmokeRun(platform, "", engine.name, None, f"{error.message}: {error.reason}" if error.reason else error.message)
        runs.append(done)
        findings += [] if done.status == 0 else [_finding(done, command)]
    report(Step("smoke", StepStatus.DONE, done=len(platforms), total=len(platforms)))
    return runs, findings


def _finding(done: SmokeRun, command: Sequence[str]) -> Finding:
    called = printable(" ".join(command))
    if done.status is None:
        return Finding(Key.SMOKE_NOT_RUN, Severity.ERROR, f"'{called}' could not be run: {done.output}", done.platform)
    ended = describe_status(done.status)
    return Finding(Key.SMOKE_FAILED, Severity.ERROR, f"'{called}' {ended} ({done.runs}): {done.output or 'no output'}", done.platform)


def _engine(name: str | None) -> SmokeEngine:
    if name is not None and name not in ENGINES:
        raise UsageError("unknown-engine", f"'{name}' is no engine", hint=f"known are {', '.join(ENGINES)}")
    for engine in ENGINES.values():
        if name in (None, engine.name) and find(engine.name):
            return engine
    wanted = name or "podman, docker or buildah"
    raise HostError("engine-missing", f"{wanted} is needed to run a command in the images", hint="install one of them")


def _run_one(source: ImageSource, command: Sequence[str], platform: Platform, *, engine: SmokeEngine, options: SmokeOptions) -> SmokeRun:
    image = single(source, platform)
    tag = f"localhost/quarterdeck-smoke:{image.root.digest.partition(':')[2][:16]}"
    with tempfile.TemporaryDirectory(prefix="quarterdeck-smoke-") as work, _emulation(platform.arch, engine) as (how, wrap, extra):
        archive = Path(work, "image.tar")
        write_docker_archive(image, archive, names=[tag])
        env = {**(options.env or {}), **extra}

        def call(words: Sequence[str], *, timeout: float = _ENGINE_SECONDS, check: bool = True) -> Completed:
            return run(wrap(words), timeout=timeout, check=check, env=env)

        for words in engine.load(archive, tag):
            call(words)
        try:
            for words in engine.prepare(tag):
                call(words)
            done = call(engine.run(tag, str(platform), command), timeout=options.timeout, check=False)
        except DeadlineError as error:
            return SmokeRun(platform, how, engine.name, None, error.message)
        finally:
            for words in engine.clean(tag):
                call(words, check=False)
    return SmokeRun(platform, how, engine.name, done.returncode, _tail(done))


def _tail(done: Completed) -> str:
    lines = (done.stdout + done.stderr).decode(errors="replace").strip().splitlines()[-_LINES:]
    return "\n".join(printable(line) for line in lines)


@contextlib.contextmanager
def _emulation(arch: Arch | None, engine: SmokeEngine) -> Iterator[tuple[str, Wrap, Mapping[str, str]]]:
    """Give how programs of ``arch`` run, what is put before the engine's words for it, and what comes into its environment."""
    found = next((one for one in read_status().platforms if one.arch == arch), None)
    if found is None or found.runs is not Runs.NO or engine.daemon or arch is None:
        yield "native" if found is not None and found.runs is Runs.NATIVE else "emulated", list, {}
        return
    selection = select([arch.name])
    offer = find_offer(selection, Source(copies=paths.cache() / "emulators"), write=True)
    plan = plan_install(wanted_of(selection, offer.emulators), [], host=host_arch(), native=native_names())
    for step in plan.refusals:
        raise HostError("binfmt-refused", f"{step.name} cannot be registered", reason=step.reason)
    with open_instance(plan.registrations, root=True) as instance:
        yield "emulated in a namespace of its own", lambda words: instance.argv(words), engine.inside_namespace()
