"""What a failed build means: the cause behind an engine's words, and how to go on.

Engines say why in free text only, so the rules look for words. Each names where its words come from.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from quarterdeck.build.engines.events import BuildStep
from quarterdeck.build.engines.watchdog import Hang
from quarterdeck.build.nodes.model import EngineName
from quarterdeck.build.platform import Platform
from quarterdeck.errors import DeadlineError, TargetError

ENGINE_LOST = "engine-lost"
_LONGEST_ERROR = 300
_STATUS = re.compile(r"(?:exit code:|exit status|exited with(?: status)?) (\d{1,3})")


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """All that is known of a failure; ``lines`` are the last ones of the step that failed, and of the engine."""

    engine: EngineName
    version: str
    platform: Platform
    emulated: bool
    step: BuildStep | None
    error: str
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """Everything that was said, the error last."""
        return "\n".join((*self.lines, self.error))

    @property
    def status(self) -> int | None:
        """The exit status of the step, None when it is not said."""
        found = _STATUS.findall(self.error) or _STATUS.findall("\n".join(self.lines[-3:]))
        return int(found[-1]) if found else None


@dataclass(frozen=True)
class Cause:
    """What is behind a failure: a stable key, why in one line, and how to go on in one line."""

    key: str
    reason: str
    hint: str


class BuildFailedError(TargetError):
    """A build failed. ``tail`` are the last lines of the step that failed; ``cause`` is None when no rule knows it."""

    def __init__(self, evidence: Evidence, tail: tuple[str, ...], cause: Cause | None) -> None:
        step = f" in {evidence.step.title}" if evidence.step is not None else ""
        super().__init__(
            cause.key if cause is not None else "build-failed",
            f"the build for {evidence.platform} failed{step}",
            reason=evidence.error if cause is None else f"{cause.reason} ({_short(evidence.error)})",
            hint=cause.hint if cause is not None else "",
        )
        self.evidence = evidence
        self.step = evidence.step
        self.tail = tail
        self.cause = cause

    @property
    def engine_lost(self) -> bool:
        """Whether the engine or its node went away, so that another node may do better."""
        return self.cause is not None and self.cause.key == ENGINE_LOST

    def to_json(self) -> dict[str, object]:
        """Return the error with the platform, the step and its last lines."""
        return {
            **super().to_json(),
            "platform": str(self.evidence.platform),
            "engine": self.evidence.engine.value,
            "step": self.step.title if self.step is not None else None,
            "status": self.evidence.status,
            "error": self.evidence.error,
            "tail": list(self.tail),
        }


def _short(error: str) -> str:
    return error if len(error) <= _LONGEST_ERROR else f"…{error[-_LONGEST_ERROR:]}"


class BuildHangsError(DeadlineError):
    """A build said nothing for too long and was ended."""

    def __init__(self, platform: Platform, step: BuildStep | None, hang: Hang) -> None:
        where = f" in {step.title}" if step is not None else ""
        reason, hint = _explain_hang(hang, platform)
        super().__init__(
            "build-hangs", f"the build for {platform} said nothing for {hang.seconds:.0f} s{where} and was ended", reason=reason, hint=hint
        )
        self.step = step
        self.hang = hang


def _explain_hang(hang: Hang, platform: Platform) -> tuple[str, str]:
    elsewhere = f"build {platform} on a native node (qd nodes add), or cross-compile that stage (qd plan says where)"
    if hang.spins:
        busy = hang.emulators[0]
        return (
            f"{busy.emulator.name} used {busy.share:.0%} of a processor on: {busy.emulator.command[:120]}",
            f"it hangs, or is slow and quiet: try another QEMU (qd binfmt run), {elsewhere}, or allow more with --step-timeout",
        )
    if hang.emulators:
        idle = hang.emulators[0]
        return (
            f"{idle.emulator.name} waits and uses no processor on: {idle.emulator.command[:120]}",
            f"emulated threads wait for each other: try another QEMU (qd binfmt run), or {elsewhere}",
        )
    return (
        "no emulator of the build is at work",
        "the step waits for something else, such as the network or input; or allow more with --step-timeout",
    )
