"""Names in a page: an index of a folder, a list of files, a page with links, an S3 listing."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import unquote

from quarterdeck.media.catalogue import template

_BETWEEN = re.compile(r"[\s\"'<>()]+")
"""What ends a name: space, quotes and brackets of HTML. A name inside another name is its last part."""


def find(text: str, templates: Sequence[str], values: Mapping[str, str]) -> list[dict[str, str]]:
    """Return each name in ``text`` (``file``) that fits one of ``templates``, with its values; the first template that fits any counts."""
    everything = list(dict.fromkeys(tokens(text)))
    for pattern in templates:
        found = [{"file": token, **bound} for token in everything if (bound := template.match(pattern, token, values)) is not None]
        if found:
            return found
    return []


def tokens(text: str) -> Iterator[str]:
    """Give all names in ``text``: whole, and the last part of those that are paths or URLs."""
    for word in _BETWEEN.split(html.unescape(text)):
        if not word or len(word) > template.LONGEST:
            continue
        name = unquote(word.partition("?")[0].partition("#")[0]).removeprefix("./")
        yield name
        last = name.rstrip("/").rpartition("/")[2]
        if last and last != name:
            yield f"{last}/" if name.endswith("/") else last
