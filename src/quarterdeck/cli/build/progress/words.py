"""Steps, times and failures of a build in words."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from quarterdeck.build.engines.events import BuildStep
from quarterdeck.build.platform import Platform
from quarterdeck.cli.progress import words
from quarterdeck.core.report import Step

if TYPE_CHECKING:
    from quarterdeck.cli.build.progress.board import Failure
    from quarterdeck.cli.build.progress.track import Work

_TITLES = {"plan": "Plan", "emulators": "Emulators", "merge": "Merge", "check": "Check", "smoke": "Smoke", "push": "Push", "load": "Load"}
_LONGEST_TITLE = 72
"""Characters of a step that failed: enough to know it, the error tells the rest."""
_END = 3


def label(step: BuildStep, platform: Platform) -> str:
    """Return a step's place, ``[build 2/3]``; its platform is named where it is another one. Empty for work that is no instruction."""
    if not step.number:
        return ""
    other = step.platform if step.platform != str(platform) else ""
    return f"[{' '.join(word for word in (other, step.stage, f'{step.number}/{step.total}') if word)}]"


def step_line(step: BuildStep, platform: Platform) -> str:
    """Return a step as one line: ``[build 2/3] RUN make``."""
    return f"{label(step, platform)} {step.text}".strip()


def clock_time(seconds: float) -> str:
    """Return seconds as a clock shows them: ``1:03``, ``1:02:03``."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def took(seconds: float) -> str:
    """Return how long something took: ``3.2s``, ``2m05s``, ``1h02m``."""
    if round(seconds, 1) < 60:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m{rest:02}s" if minutes < 60 else f"{minutes // 60}h{minutes % 60:02}m"


def of_it_emulated(seconds: float, emulated: float) -> str:
    """Return how much of a time was emulated, empty when none of it was."""
    if emulated < 0.05:
        return ""
    return "all emulated" if emulated >= seconds - 0.05 else f"{took(emulated)} emulated"


def moved(work: Work) -> str:
    """Return the bytes that a step has moved: ``12 MiB of 29 MiB``."""
    totals = [total for _, total in work.moved.values()]
    known = [total for total in totals if total is not None]
    whole = sum(known) if len(known) == len(totals) else None
    return words.amount({"done": sum(done for done, _ in work.moved.values()), "total": whole, "unit": "bytes"}) if totals else ""


def whole_title(step: Step) -> str:
    """Return the name of a step about all platforms as people read it."""
    return _TITLES.get(step.step) or words.title(asdict(step))


def whole_data(step: Step, time: float) -> dict[str, Any]:
    """Return such a step as the renderers of ``qd run`` take it; ``time`` in seconds."""
    return {**asdict(step), "step": whole_title(step), "status": step.status.value, "time": time}


def failure_lines(failure: Failure, *, width: int = 0) -> list[str]:
    """Return a failure as lines, each with its platform, which is filled up to ``width``.

    An error that is among the last lines, as that of buildah, is not said twice.
    """
    prefix = f"{failure.platform!s:<{width}}"
    title = failure.title if len(failure.title) <= _LONGEST_TITLE else f"{failure.title[:_LONGEST_TITLE]}..."
    said = not failure.error or any(failure.error in line for line in failure.lines[-_END:])
    error = "" if said else f": {failure.error}"
    last = "; its last lines:" if failure.lines else ""
    return [f"{prefix} {title} failed{error}{last}", *(f"{prefix} | {line}".rstrip() for line in failure.lines)]
