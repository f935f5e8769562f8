"""JSON and YAML documents by path: ``official/plasma/image``, with ``*`` for every element of a list or mapping."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from quarterdeck.core.yamltext import read_yaml
from quarterdeck.media.catalogue import template

_MOST_CANDIDATES = 20_000


class NotADocument(ValueError):  # noqa: N818 - what it is, not that it is an error
    """The text is not JSON or YAML; the argument says why."""


def parse(text: str, form: str) -> Any:
    """Return the data of a ``json`` or ``yaml`` text.

    Raises:
        NotADocument: it is none.
    """
    if form == "yaml":
        document = read_yaml(text)
        if document.data is None and document.problems:
            raise NotADocument(str(document.problems[0]))
        return document.data  # without the values that no rule could use, such as dates
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NotADocument(f"not JSON: {error}"[:300]) from None


def find(data: Any, each: str, *, where: Mapping[str, str], take: Mapping[str, str], values: Mapping[str, str]) -> list[dict[str, str]]:
    """Return the values of each element at path ``each`` whose fields fit the templates of ``where``, with the fields that ``take`` names.

    Paths that begin with ``/`` start at the top of the document. An element without a field that is asked for does not fit.
    """
    found = []
    for number, element in enumerate(walk(data, each)):
        if number == _MOST_CANDIDATES:
            break
        if (values_of := _fit(data, element, where=where, take=take, values=values)) is not None:
            found.append(values_of)
    return found


def walk(data: Any, path: str) -> Iterator[Any]:
    """Give what stands at ``path``; nothing where there is nothing."""
    part, _, rest = path.strip("/").partition("/")
    if not part:
        yield data
    elif part == "*":
        inner = data if isinstance(data, list) else list(data.values()) if isinstance(data, dict) else []
        for element in inner:
            yield from walk(element, rest)
    elif isinstance(data, dict) and part in data:
        yield from walk(data[part], rest)
    elif isinstance(data, list) and part.isdigit() and int(part) < len(data):
        yield from walk(data[int(part)], rest)


def text_at(data: Any, path: str) -> str | None:
    """Return the text, number or truth value at ``path`` as text; None when there is none."""
    for value in walk(data, path):
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, (str, int)):
            return str(value)[: template.LONGEST]
    return None


def _fit(data: Any, element: Any, *, where: Mapping[str, str], take: Mapping[str, str], values: Mapping[str, str]) -> dict[str, str] | None:
    bound: dict[str, str] = {}
    for path, pattern in where.items():
        text = text_at(data if path.startswith("/") else element, path)
        found = None if text is None else template.match(pattern, text, {**values, **bound})
        if found is None:
            return None
        bound.update(found)
    for name, path in take.items():
        text = text_at(data if path.startswith("/") else element, path)
        if text is None:
            return None
        bound[name] = text
    return bound
