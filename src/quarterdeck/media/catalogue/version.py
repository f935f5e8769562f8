"""The order of versions as publishers write them."""

from __future__ import annotations

import re

Key = tuple[tuple[int, int, str], ...]

_PART = re.compile(r"[0-9]+|[A-Za-z]+")
_BEFORE = ("alpha", "beta", "rc", "pre", "dev", "snapshot")
_DIGITS = 18


def version_key(text: str) -> Key:
    """Return what versions are sorted by: numbers as numbers, words before numbers, and ``1.0-rc1`` before ``1.0``."""
    parts = [_part(part) for part in _PART.findall(text[:256])]
    return (*parts, (1, 0, ""))


def _part(part: str) -> tuple[int, int, str]:
    if part.isdigit():
        # A longer row of digits is no version; what matters is that it has a place at all.
        return (3, int(part[:_DIGITS]), part[_DIGITS:])
    return (0 if part.lower().startswith(_BEFORE) else 2, 0, part.lower())
