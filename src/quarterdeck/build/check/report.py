"""The result of a check."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from quarterdeck.build.check.finding import Finding, Severity
from quarterdeck.build.platform import Platform


@dataclass(frozen=True)
class CheckedImage:
    """One image that was looked at: how many layers, files in them, and programs and libraries that remain in the end."""

    platform: Platform | None
    manifest: str
    layers: int
    files: int
    programs: int

    def to_json(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return {**vars(self), "platform": str(self.platform) if self.platform else None}


@dataclass(frozen=True)
class CheckReport:
    """What was looked at and what was found. ``digest`` is that of the image or index as a whole."""

    digest: str
    images: tuple[CheckedImage, ...]
    findings: tuple[Finding, ...]
    attestations: int = 0

    @property
    def ok(self) -> bool:
        """Whether there is no error among the findings."""
        return not any(one.severity is Severity.ERROR for one in self.findings)

    def count(self, severity: Severity) -> int:
        """Return how many findings are that bad."""
        return sum(one.severity is severity for one in self.findings)

    def to_json(self) -> dict[str, Any]:
        """Return all of it as a JSON object."""
        return {
            "digest": self.digest,
            "ok": self.ok,
            "images": [image.to_json() for image in self.images],
            "attestations": self.attestations,
            "findings": [finding.to_json() for finding in self.findings],
        }
