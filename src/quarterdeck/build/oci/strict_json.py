"""JSON that nobody vouches for: bounded in size, depth and count, without the doubts that readers resolve differently."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from quarterdeck.build.oci.errors import BadImageError
from quarterdeck.build.oci.words import printable

LARGEST_DOCUMENT = 4 << 20
"""Bytes; what registries take at most for a manifest (distribution specification 1.1, "Pushing Manifests")."""
LARGEST_TEXT = 64 << 10
LARGEST_LIST = 10_000
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_LARGEST_NUMBER = 2**63 - 1


def load_object(content: bytes, *, what: str) -> Fields:
    """Return the JSON object that ``content`` is; ``what`` it is called in errors.

    Raises:
        BadImageError: it is too large, too deep, no JSON, no object, or names a key twice, of which readers take different ones.
    """
    return Fields(_object(load_value(content, what=what), what), what)


def load_value(content: bytes, *, what: str) -> Any:
    """Return any JSON value, read with the same distrust."""
    if len(content) > LARGEST_DOCUMENT:
        raise BadImageError("document-too-large", f"{what} has {len(content)} bytes; {LARGEST_DOCUMENT} are allowed")
    try:
        text = content.decode()
        value = json.loads(text, object_pairs_hook=_pairs, parse_constant=_constant)
        if _SURROGATE.search(text):
            json.dumps(value, ensure_ascii=False).encode()  # half a pair cannot be written again
    except (ValueError, RecursionError) as error:
        raise BadImageError("bad-json", f"{what}: {printable(str(error)[:200])}") from None
    return value


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise ValueError(f"the key '{twice}' is there twice")
    return found


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _object(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BadImageError("bad-json", f"{what} is no JSON object")
    return value


@dataclass(frozen=True)
class Fields:
    """The fields of a JSON object by name and kind; null counts as absent, as in Go. ``what`` names the object in errors."""

    values: Mapping[str, Any]
    what: str

    def text(self, name: str, default: str | None = None) -> str:
        """Return a string without control characters; ``default`` where it is absent, which None forbids."""
        value = self.values.get(name)
        if value is None:
            value = default
        if not isinstance(value, str):
            raise self._wrong(name, "is no text" if value is not None else "is missing")
        return self._checked(name, value)

    def number(self, name: str, default: int | None = None) -> int:
        """Return a whole number from 0 to 2^63 - 1."""
        value = self.values.get(name)
        if value is None:
            value = default
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _LARGEST_NUMBER:
            raise self._wrong(name, "is no size" if value is not None else "is missing")
        return value

    def flag(self, name: str) -> bool:
        """Return a truth value, False where it is absent."""
        value = self.values.get(name) or False
        if not isinstance(value, bool):
            raise self._wrong(name, "is neither true nor false")
        return value

    def object(self, name: str) -> Fields | None:
        """Return an object, or None where it is absent."""
        value = self.values.get(name)
        return None if value is None else Fields(_object(value, f"{self.what}.{name}"), f"{self.what}.{name}")

    def objects(self, name: str) -> tuple[Fields, ...]:
        """Return a list of objects, empty where it is absent."""
        places = ((f"{self.what}.{name}[{index}]", value) for index, value in enumerate(self._list(name)))
        return tuple(Fields(_object(value, place), place) for place, value in places)

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of strings, empty where it is absent."""
        values = self._list(name)
        for value in values:
            if not isinstance(value, str) or len(value) > LARGEST_TEXT:
                raise self._wrong(name, "holds something that is no text")
        return tuple(values)

    def mapping(self, name: str) -> dict[str, str]:
        """Return an object of strings, such as annotations, empty where it is absent; values may hold anything."""
        value = self.values.get(name)
        if value is None:
            return {}
        entries = _object(value, f"{self.what}.{name}")
        if len(entries) > LARGEST_LIST or not all(isinstance(text, str) and len(text) <= LARGEST_TEXT for text in entries.values()):
            raise self._wrong(name, "holds something that is no text, or too much of it")
        return entries

    def _list(self, name: str) -> list[Any]:
        value = self.values.get(name)
        if value is None:
            return []
        if not isinstance(value, list) or len(value) > LARGEST_LIST:
            raise self._wrong(name, f"is no list of at most {LARGEST_LIST}")
        return value

    def _checked(self, name: str, value: str) -> str:
        if len(value) > LARGEST_TEXT or not value.isprintable():
            raise self._wrong(name, "is too long or holds control characters")
        return value

    def _wrong(self, name: str, problem: str) -> BadImageError:
        return BadImageError("bad-json", f"{self.what}: '{name}' {problem}")
