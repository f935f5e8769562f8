"""A plan as SARIF, which code hosts show beside the lines of a review.

Source: Static Analysis Results Interchange Format 2.1.0, OASIS standard: sections 3.19 (tool component), 3.27 (result), 3.30 (region).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from quarterdeck import __version__
from quarterdeck.build.dockerfile.model import Span
from quarterdeck.build.nodes.choice import Emulation
from quarterdeck.build.planning.model import BuildPlan, Mode, PlannedStep, PlatformPlan
from quarterdeck.build.planning.problems import CANNOT_RUN, EMULATION_FORBIDDEN, NO_NODE

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
EMULATED_STEP = "emulated-step"
RULES: Mapping[str, str] = {
    EMULATED_STEP: "A step runs under emulation, which is several times slower than natively",
    EMULATION_FORBIDDEN: "A step would have to be emulated, and --emulation never forbids it",
    CANNOT_RUN: "A stage runs programs of a platform that no node can run",
    NO_NODE: "No node builds a platform",
}


@dataclass(frozen=True)
class Finding:
    """One result: the rule's name, ``error``, ``warning`` or ``note``, what it says, and where (None: the file as a whole)."""

    rule: str
    level: str
    message: str
    span: Span | None


def findings_of(plan: BuildPlan) -> list[Finding]:
    """Return what a review should see of a plan: what forbids it, and each emulated step once for all platforms that emulate it."""
    errors = [Finding(problem.rule, "error", f"{problem.message}. {problem.hint}", problem.span) for problem in plan.problems]
    return [*errors, *_emulated(plan)]


def to_sarif(file: str, findings: Iterable[Finding], rules: Mapping[str, str] = RULES) -> dict[str, Any]:
    """Return a SARIF log with one run.

    Args:
        file: path of the Dockerfile, relative to the folder that the code host knows where possible.
        findings: the results; each rule of theirs must be among ``rules``.
        rules: what each rule is about, by name.
    """
    order = {rule: index for index, rule in enumerate(rules)}
    driver = {
        "name": "Quarterdeck",
        "version": __version__,
        "rules": [{"id": rule, "shortDescription": {"text": text}} for rule, text in rules.items()],
    }
    results = [_result(finding, order[finding.rule], _location(file)) for finding in findings]
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": results, "columnKind": "unicodeCodePoints"}],
    }


def _emulated(plan: BuildPlan) -> Iterator[Finding]:
    level = {Emulation.WARN: "warning", Emulation.ALLOW: "note"}.get(plan.emulation)
    if level is None:
        return
    steps: dict[Span, list[tuple[PlatformPlan, PlannedStep]]] = {}
    for one in plan.platforms:
        for _, step in one.steps:
            if step.mode is Mode.EMULATED:
                steps.setdefault(step.span, []).append((one, step))
    for span, users in steps.items():
        yield Finding(EMULATED_STEP, level, _message(users), span)


def _message(users: list[tuple[PlatformPlan, PlannedStep]]) -> str:
    platforms = ", ".join(dict.fromkeys(str(plan.platform) for plan, _ in users))
    step = users[0][1]
    slow = f", about {step.slowdown:.0f} times slower than natively" if step.slowdown > 1 else ""
    faster = f". Faster: {step.faster}" if step.faster else ""
    return f"Emulated for {platforms}{slow}{faster}"


def _location(file: str) -> dict[str, Any]:
    path = PurePath(file)
    uri = quote(path.as_posix())
    return {"uri": f"file://{uri}"} if path.is_absolute() else {"uri": uri, "uriBaseId": "%SRCROOT%"}


def _result(finding: Finding, index: int, artifact: dict[str, Any]) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": artifact}
    if finding.span:
        place["region"] = {"startLine": finding.span.first, "endLine": finding.span.last}
    return {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": finding.level,
        "message": {"text": finding.message},
        "locations": [{"physicalLocation": place}],
    }
