"""The variables that were given, read: values, problems, and notes about those that do nothing."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from quarterdeck.errors import Problem
from quarterdeck.machine.environment.kinds import strip
from quarterdeck.machine.environment.table import TABLE
from quarterdeck.machine.environment.variable import Variable
from quarterdeck.machine.environment.wish import Note

_ALIASES = {alias: variable for variable in TABLE.values() for alias in variable.aliases}
_FILES = {f"{name}_FILE": variable for variable in TABLE.values() if variable.secret for name in (variable.name, *variable.aliases)}
_COMMON = frozenset({"HOME", "HOSTNAME", "PATH", "PWD", "TERM", "USER", "UID", "GID", "PUID", "PGID", "TZ", "LANG", "SHELL", "LOGNAME"})
"""Variables of every container; some look like ours."""
_CLOSE = 0.8


@dataclass
class Given:
    """What was given. ``written`` says under which name each value came, for messages."""

    values: dict[str, object] = field(default_factory=dict)
    raw: dict[str, str] = field(default_factory=dict)
    written: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


def collect(env: Mapping[str, str]) -> Given:
    """Return what ``env`` gives; empty values count as not given."""
    given = Given()
    for name, text in sorted(env.items()):
        value = strip(text)
        if not value:
            continue
        variable = TABLE.get(name) or _ALIASES.get(name)
        if variable is not None:
            _take(given, variable, name, value)
        elif name in _FILES:
            _take_file(given, _FILES[name], name, value)
        else:
            given.notes += _stranger(name)
    return given


def _take(given: Given, variable: Variable, name: str, value: str) -> None:
    before = given.raw.get(variable.name)
    if before is not None and before != value:
        given.problems.append(Problem(name, f"contradicts {given.written[variable.name]}, which is another name of it"))
        return
    given.raw[variable.name], given.written[variable.name] = value, name
    try:
        given.values[variable.name] = variable.kind.read(value)
    except ValueError as error:
        given.problems.append(Problem(name, str(error) if variable.secret else f"{error}; it is '{value}'"))
        return
    if not variable.works and value.lower() not in variable.quiet:
        given.notes.append(Note(name, f"it has no effect. {variable.what}", variable.instead))


def _take_file(given: Given, variable: Variable, name: str, value: str) -> None:
    if not value.startswith("/"):
        given.problems.append(Problem(name, f"must be an absolute path in the container; it is '{value}'"))
        return
    given.files[variable.name] = value
    given.written.setdefault(f"{variable.name}_FILE", name)


def _stranger(name: str) -> Iterator[Note]:
    """Variables of others are none of our business, but one that is nearly ours is likely a slip."""
    if name in _COMMON or len(name) < 3 or not name.isupper() or name.startswith("QUARTERDECK_"):
        return
    known = [*TABLE, *_ALIASES, *_FILES]
    if close := difflib.get_close_matches(name, known, n=1, cutoff=_CLOSE):
        yield Note(name, "there is no such variable", f"did you mean {close[0]}?")
