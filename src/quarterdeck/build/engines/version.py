"""Versions of engines, compared by their numbers."""

from __future__ import annotations

import re

Version = tuple[int, int]

_NUMBERS = re.compile(r"(\d{1,6})\.(\d{1,6})")


def parse_version(text: str) -> Version:
    """Return the first two numbers of what a program says about itself; ``(0, 0)`` when it says none.

    Two are enough: features come with minor versions, and distributions change the rest.
    """
    found = _NUMBERS.search(text)
    return (int(found[1]), int(found[2])) if found else (0, 0)
