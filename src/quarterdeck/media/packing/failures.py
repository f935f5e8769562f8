"""The errors of packed images, in the words that every reader of a format uses."""

from __future__ import annotations

from quarterdeck.errors import MediaError

_NAME_SHOWN = 120


def shown(name: str) -> str:
    """Return ``name`` fit for a terminal: short, and without control characters that a hostile archive may hold."""
    text = name if name.isprintable() else ascii(name)[1:-1]
    return text if len(text) <= _NAME_SHOWN else f"{text[:_NAME_SHOWN]}..."


def damaged(name: str, reason: str) -> MediaError:
    """Return the error of a file whose content contradicts itself."""
    return MediaError("archive-damaged", f"{shown(name)} is damaged", reason=reason, hint="fetch or copy it again")


def truncated(name: str) -> MediaError:
    """Return the error of a file that stops in the middle."""
    reason = "it stops in the middle"
    return MediaError("archive-truncated", f"{shown(name)} ends too early", reason=reason, hint="fetch or copy it again")


def unsafe(name: str, reason: str) -> MediaError:
    """Return the error of an archive that no honest program would have made."""
    hint = "if you trust it, unpack it yourself and name the image"
    return MediaError("archive-unsafe", f"{shown(name)} is refused", reason=reason, hint=hint)


def unsupported(name: str, reason: str) -> MediaError:
    """Return the error of an honest archive that cannot be read here."""
    return MediaError("archive-unsupported", f"{shown(name)} cannot be read", reason=reason, hint="unpack it yourself and name the image")
