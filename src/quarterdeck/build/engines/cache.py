"""Values of ``--cache-from`` and ``--cache-to``: comma-separated ``key=value`` fields, or the name of an image alone."""

from __future__ import annotations

import csv


def fields(value: str) -> dict[str, str]:
    """Return the fields of a value as BuildKit reads them; a name alone is an image of a registry."""
    words = next(csv.reader([value]), [])
    if len(words) == 1 and "=" not in words[0]:
        return {"type": "registry", "ref": words[0]}
    pairs = [word.partition("=") for word in words]
    return {key.strip().lower(): text for key, _, text in pairs}


def cache_type(value: str) -> str:
    """Return what kind of cache a value means."""
    return fields(value).get("type", "registry").lower()


def field(key: str, value: str) -> str:
    """Return one field for such a value, quoted where it holds a comma or a quote."""
    word = f"{key}={value}"
    return '"' + word.replace('"', '""') + '"' if any(sign in word for sign in ',"\n') else word
