"""Text out of images, made fit for a terminal and a log: names in archives may hold anything."""

from __future__ import annotations


def printable(text: str) -> str:
    """Return ``text`` with all that is not printable as escapes."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape", "backslashreplace").decode("ascii") for char in text)
