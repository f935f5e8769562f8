"""How the check of an image looks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from quarterdeck.build.check.finding import Finding, Key, Severity
from quarterdeck.build.check.report import CheckedImage, CheckReport
from quarterdeck.build.check.smoke import SmokeRun
from quarterdeck.cli.output import results, say
from quarterdeck.cli.table import Cell, Column, print_columns, print_folded

_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.NOTE: "dim"}
_ORDER = tuple(Severity)
_FILES = 5
_STEP = 160
_COLUMNS = (Column("PLATFORM"), Column("PROGRAMS"), Column("FILES", 2), Column("LAYERS", 3), Column("MANIFEST", 4), Column("RESULT"))


def show_report(report: CheckReport, runs: Sequence[SmokeRun], *, several: bool) -> None:
    """Print the images that were looked at and what was found; ``several`` images were given at once."""
    if several:
        results.print(Text(report.digest, style="bold"))
    if report.images:
        print_columns(_COLUMNS, [_row(image, report, runs) for image in report.images])
    groups = list(_groups(report.findings))
    if groups:
        results.print()
        print_folded([row for group in groups for row in _lines(group)])


def show_summary(reports: Sequence[CheckReport]) -> None:
    """Tell on stderr what it comes to."""
    counts = {severity: sum(report.count(severity) for report in reports) for severity in Severity}
    words = [f"{count} {severity.value}{'s' if count != 1 else ''}" for severity, count in counts.items() if count]
    images = sum(len(report.images) for report in reports)
    attestations = sum(report.attestations for report in reports)
    beside = f" and {attestations} attestation{'s' if attestations != 1 else ''}" if attestations else ""
    say(f"{images} image{'s' if images != 1 else ''}{beside} looked at: {', '.join(words) or 'nothing wrong'}")


def _row(image: CheckedImage, report: CheckReport, runs: Sequence[SmokeRun]) -> list[Cell]:
    wrong = any(one.severity is Severity.ERROR and one.manifest == image.manifest for one in report.findings)
    run = next((one for one in runs if one.platform == image.platform), None)
    failed = wrong or (run is not None and run.status != 0)
    said = "ok" if not failed else "WRONG"
    if run is not None and run.status == 0:
        said += f", ran {run.runs}"
    return [
        str(image.platform or "unknown"),
        str(image.programs),
        str(image.files),
        str(image.layers),
        image.manifest.partition(":")[2][:12],
        Text(said, style="bold red" if failed else "green"),
    ]


def _groups(findings: Sequence[Finding]) -> Iterator[list[Finding]]:
    """Yield findings that say the same of several files together, the worst first."""
    groups: dict[object, list[Finding]] = {}
    for one in findings:
        key = (one.key, one.severity, one.text if one.path or one.key is not Key.MORE_FINDINGS else id(one), one.manifest, one.layer)
        groups.setdefault(key, []).append(one)
    yield from sorted(groups.values(), key=lambda group: _ORDER.index(group[0].severity))


def _lines(group: Sequence[Finding]) -> Iterator[list[Cell]]:
    first = group[0]
    mark = Text(first.severity.value, style=_STYLES[first.severity])
    where = f"{first.platform}: " if first.platform and str(first.platform) not in first.text else ""
    count = f"{len(group)} files: " if len(group) > 1 and first.path else ""
    yield [mark, Text(f"{where}{count}{first.text}")]
    for one in group[:_FILES]:
        if one.path:
            yield ["", Text(f"/{one.path}")]
    if len(group) > _FILES:
        yield ["", Text(f"and {len(group) - _FILES} more", style="dim")]
    if first.layer is not None:
        step = f", made by: {first.layer.created_by[:_STEP]}" if first.layer.created_by else ""
        yield ["", Text(f"in layer {first.layer.number} ({first.layer.digest[:19]}){step}", style="dim")]
    if first.hint:
        yield ["", Text(f"fix: {first.hint}", style="cyan")]
