"""Templates with placeholders: they fill URLs, and find names in what publishers write.

``{release}`` stands for a value that is known. In a name that is looked for, ``{release:version}`` also gives the value of
a variable that is not known yet a form, from a small closed set; when it is known, only that value fits. All forms are
bounded, so that no name can take long to match. ``{release.nodots}`` and ``{release.major}`` are parts of a known value.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Mapping

from quarterdeck.errors import UsageError

FORMS = {
    "version": r"[0-9]{1,8}(?:\.[0-9]{1,8}){0,4}",
    "number": r"[0-9]{1,9}",
    "date": r"[0-9]{6,8}(?:T[0-9]{4,6}Z)?",
    "build": r"[0-9][0-9A-Za-z.+~_-]{0,60}",
    "word": r"[A-Za-z0-9][A-Za-z0-9+~_-]{0,40}",
    "any": r"[!-~]{1,300}",
}
"""What a placeholder may stand for: 43 or 24.04.3; 43; 20250801 or 20250801T170000Z; 10.0-20250528.0; noble; whatever has no space."""
LONGEST = 1024
_WIDTHS = {"version": 44, "number": 9, "date": 16, "build": 61, "word": 41, "any": 300}
_LETTERS = {
    "version": r"[0-9.]",
    "number": r"[0-9]",
    "date": r"[0-9TZ]",
    "build": r"[0-9A-Za-z.+~_-]",
    "word": r"[A-Za-z0-9+~_-]",
    "any": r"[!-~]",
}
_MOST_WAYS = 20_000
"""In how many ways a hostile name may have to be tried; a placeholder's end is certain where a letter follows that cannot be in it."""
_PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]{0,30})(?:([:.])([a-z]{1,12}))?\}")
_PARTS = ("nodots", "major")


def problems(template: str) -> list[str]:
    """Return what is wrong with ``template``, in words; nothing when it can be used."""
    found = [
        f"there is no form '{form}'; there are {', '.join(FORMS)}"
        for _, kind, form in _placeholders(template)
        if kind == ":" and form not in FORMS
    ]
    found += [
        f"'{part}' is no part of a value; there are {', '.join(_PARTS)}"
        for _, kind, part in _placeholders(template)
        if kind == "." and part not in _PARTS
    ]
    if any(brace in _PLACEHOLDER.sub("", template) for brace in "{}"):
        found.append("a brace begins no placeholder such as {release} or {release:version}")
    if not found and _ways(template) > _MOST_WAYS:
        found.append("could be matched in too many ways: put something between the placeholders that they cannot hold")
    return found


def names(template: str) -> tuple[str, ...]:
    """Return the variables of ``template`` in their order, each once."""
    return tuple(dict.fromkeys(name for name, _, _ in _placeholders(template)))


def free(template: str) -> bool:
    """Whether ``template`` has placeholders with a form, so that it can find values."""
    return any(kind == ":" for _, kind, _ in _placeholders(template))


def fill(template: str, values: Mapping[str, str]) -> str:
    """Return ``template`` with all placeholders replaced.

    Raises:
        UsageError: a value is not known.
    """
    return _PLACEHOLDER.sub(lambda found: _value(found, values, template), template)


def match(template: str, text: str, values: Mapping[str, str]) -> dict[str, str] | None:
    """Return what ``text`` gives the placeholders of ``template`` that ``values`` does not know; None when it does not fit."""
    if len(text) > LONGEST:
        return None
    known = tuple((name, values[name]) for name in names(template) if name in values)
    found = _pattern(template, known).fullmatch(text)
    return found.groupdict() if found else None


@functools.lru_cache(maxsize=512)
def _pattern(template: str, known: tuple[tuple[str, str], ...]) -> re.Pattern[str]:
    values = dict(known)
    parts: list[str] = []
    seen: set[str] = set()
    end = 0
    for found in _PLACEHOLDER.finditer(template):
        parts.append(re.escape(template[end : found.start()]))
        end = found.end()
        name, kind, form = found.groups()
        if name in values or kind != ":":
            parts.append(re.escape(_value(found, values, template)))
        elif name in seen:
            parts.append(f"(?P={name})")
        else:
            seen.add(name)
            parts.append(f"(?P<{name}>{FORMS[form]})")
    return re.compile("".join((*parts, re.escape(template[end:]))))


def _value(found: re.Match[str], values: Mapping[str, str], template: str) -> str:
    name, kind, part = found.groups()
    if name not in values:
        raise UsageError("template-incomplete", f"nothing says what '{name}' is in '{template}'")
    value = values[name]
    if kind == "." and part == "nodots":
        return value.replace(".", "")
    return value.partition(".")[0] if kind == "." else value


def _ways(template: str) -> int:
    ways = 1
    places = list(_PLACEHOLDER.finditer(template))
    for place, following in itertools.pairwise(places):
        between = template[place.end() : following.start()]
        if place[2] == ":" and not re.sub(_LETTERS[place[3]], "", between):
            ways *= _WIDTHS[place[3]]
    last = _WIDTHS[places[-1][3]] if places and places[-1][2] == ":" else 1
    return ways * last if ways > 1 else 1


def _placeholders(template: str) -> list[tuple[str, str, str]]:
    return [(name, kind or "", form or "") for name, kind, form in (found.groups() for found in _PLACEHOLDER.finditer(template))]
