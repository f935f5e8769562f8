"""What a user calls a URL."""

from __future__ import annotations


def is_url(text: str) -> bool:
    """Whether ``text`` is meant as an http or https URL."""
    return text.lower().startswith(("http://", "https://"))
