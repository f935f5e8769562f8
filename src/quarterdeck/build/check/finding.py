"""What a check found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from quarterdeck.build.platform import Platform


class Severity(StrEnum):
    """How bad it is: an error makes the check fail, a warning is odd, a note is worth knowing."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Key(StrEnum):
    """The kinds of findings; scripts rely on these names."""

    ELF_WRONG_ARCHITECTURE = "elf-wrong-architecture"
    ELF_COMPATIBLE = "elf-compatible"
    ELF_FOREIGN_DATA = "elf-foreign-data"
    ELF_FOREIGN_OBJECT = "elf-foreign-object"
    ELF_DAMAGED = "elf-damaged"
    MORE_FINDINGS = "more-findings"
    INDEX_EMPTY = "index-empty"
    PLATFORM_MISSING = "platform-missing"
    PLATFORM_DUPLICATE = "platform-duplicate"
    PLATFORM_UNKNOWN = "platform-unknown"
    PLATFORM_NOT_AUDITED = "platform-not-audited"
    ATTESTATION_ORPHAN = "attestation-orphan"
    CONFIG_PLATFORM = "config-platform"
    CONFIG_VARIANT = "config-variant"
    BASE_PLATFORM = "base-platform"
    BASE_UNKNOWN = "base-unknown"
    LAYER_COUNT = "layer-count"
    LAYER_DAMAGED = "layer-damaged"
    LAYER_ESCAPE = "layer-escape"
    LAYER_UNREAD = "layer-unread"
    IMAGE_DAMAGED = "image-damaged"
    SMOKE_FAILED = "smoke-failed"
    SMOKE_NOT_RUN = "smoke-not-run"


@dataclass(frozen=True)
class Layer:
    """Where in an image something is: the layer's number from below, counted from 1, its digest, and the step that made it, if known."""

    number: int
    digest: str
    created_by: str = ""


@dataclass(frozen=True)
class Finding:
    """One thing found. ``manifest`` is the digest of the image it is in, ``path`` the file without a leading slash, empty where none."""

    key: Key
    severity: Severity
    text: str
    platform: Platform | None = None
    manifest: str = ""
    path: str = ""
    layer: Layer | None = None
    hint: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the finding as a JSON object; what does not apply is null."""
        layer = self.layer and {"number": self.layer.number, "digest": self.layer.digest, "created_by": self.layer.created_by}
        return {
            "key": self.key.value,
            "severity": self.severity.value,
            "text": self.text,
            "platform": str(self.platform) if self.platform else None,
            "manifest": self.manifest or None,
            "path": self.path or None,
            "layer": layer,
            "hint": self.hint or None,
        }
