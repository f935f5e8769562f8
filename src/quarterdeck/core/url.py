"""What a user calls a URL."""

from __future__ import annotations

import os
import re
from urllib.parse import unquote_to_bytes

from quarterdeck.errors import UsageError

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
"""How a URL with a host begins, RFC 3986 section 3."""


def is_url(text: str) -> bool:
    """Whether ``text`` is meant as an http or https URL."""
    return text.lower().startswith(("http://", "https://"))


def local_path(text: str) -> str:
    """Return the path that ``text`` names when it is a ``file:`` URL (RFC 8089), else ``text`` as it is.

    Raises:
        UsageError: the URL names another host, or no file, or nothing is fetched by its scheme.
    """
    if _SCHEME.match(text) and not is_url(text) and not text.lower().startswith("file:"):
        reason = f"nothing is fetched by {text.partition(':')[0]}"
        raise UsageError("unknown-scheme", f"'{text}' cannot be fetched", reason=reason, hint="name an https:// or http:// URL, or a file")
    if not text.lower().startswith("file:/"):
        return text
    rest = text[len("file:") :]
    host, path = rest[2:].partition("/")[::2] if rest.startswith("//") else ("", rest[1:])
    if host.lower() not in ("", "localhost"):
        raise UsageError(
            "file-url",
            f"'{text}' is on another host",
            reason=f"a file: URL that names '{host}'",
            hint="write file:///PATH for a file of this host",
        )
    if "#" in path or "?" in path:
        raise UsageError(
            "file-url", f"'{text}' is no file", reason="a file: URL has no query and no fragment", hint="write '#' as %23, '?' as %3F"
        )
    decoded = os.fsdecode(unquote_to_bytes(path))
    if not decoded or "\0" in decoded:
        raise UsageError("file-url", f"'{text}' is no file", reason="there is no path in it")
    return f"/{decoded}"
