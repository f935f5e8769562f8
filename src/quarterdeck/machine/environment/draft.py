"""A wish in the making: the spec as plain data, and which variable each place of it came from."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from quarterdeck.core.place import Loc, place
from quarterdeck.errors import Problem
from quarterdeck.machine.environment.collect import Given
from quarterdeck.machine.environment.found import Found
from quarterdeck.machine.environment.wish import DiskFile, Note
from quarterdeck.machine.spec import MachineSpec
from quarterdeck.machine.validate import Finding, adapter


class Draft:
    """What the stages write to. ``data`` holds only what differs from the defaults of a spec."""

    def __init__(self, given: Given, found: Found, base: MachineSpec) -> None:
        self.given, self.found = given, found
        self.data: dict[str, Any] = adapter().dump_python(base, mode="json", exclude_defaults=True)
        self.options: dict[str, Any] = {}
        self.files: list[DiskFile] = []
        self.notes: list[Note] = list(given.notes)
        self.problems: list[Problem] = list(given.problems)
        self._origin: dict[Loc, str] = {}

    def has(self, name: str) -> bool:
        """Whether the variable was given, and well."""
        return name in self.given.values

    def text(self, name: str) -> str | None:
        """Return the value of a variable whose values are texts."""
        value = self.given.values.get(name)
        return value if isinstance(value, str) else None

    def flag(self, name: str) -> bool | None:
        """Return the value of a variable that is Y or N."""
        value = self.given.values.get(name)
        return value if isinstance(value, bool) else None

    def value(self, name: str) -> Any:
        """Return the value of any variable, None when it was not given."""
        return self.given.values.get(name)

    def said(self, *loc: str | int) -> bool:
        """Whether the spec has something other than its default at ``loc``."""
        return self.look(*loc) is not None

    def look(self, *loc: str | int) -> Any:
        """Return what the spec has at ``loc``; None when it is the default."""
        holder: Any = self.data
        for part in loc:
            try:
                holder = holder[part]
            except (KeyError, IndexError, TypeError):
                return None
        return holder

    def put(self, loc: Loc, value: Any, name: str) -> None:
        """Set one place of the spec, because of the variable ``name``; what leads there is made."""
        holder: Any = self.data
        for part, inner in pairwise(loc):
            holder = _step(holder, part, list if isinstance(inner, int) else dict)
        if isinstance(loc[-1], int):
            _step(holder, loc[-1], dict)
        holder[loc[-1]] = value
        self._origin[loc] = name

    def add(self, loc: Loc, value: Any, name: str) -> None:
        """Append to a list of the spec, because of the variable ``name``."""
        self.put((*loc, len(self.look(*loc) or ())), value, name)

    def default(self, loc: Loc, value: Any) -> None:
        """Set one place of the spec unless the user's own spec did."""
        if not self.said(*loc):
            self.put(loc, value, place(loc))

    def note(self, name: str, text: str, instead: str = "") -> None:
        """Say what does not hold, or differently."""
        self.notes.append(Note(self.called(name), text, instead))

    def problem(self, name: str, message: str, hint: str = "") -> None:
        """Refuse the value of a variable."""
        self.problems.append(Problem(self.called(name), message, None, hint))

    def called(self, name: str) -> str:
        """Return the name under which the user gave the variable."""
        return self.given.written.get(name, name)

    def blame(self, finding: Finding) -> Problem:
        """Return what is wrong with the whole spec as a problem of the variable that it came from, if one did."""
        loc = finding.loc
        while loc and loc not in self._origin:
            loc = loc[:-1]
        name = self._origin[loc] if loc else place(finding.loc)
        value = f"; it is '{self.given.raw[name]}'" if name in self.given.raw else ""
        return Problem(self.called(name), f"{finding.message}{value}", None, finding.hint)


def _step(holder: Any, part: str | int, kind: type) -> Any:
    """Return what lies in ``holder`` at ``part``, made as a ``kind`` where nothing does."""
    if isinstance(part, int):
        while len(holder) <= part:
            holder.append(kind())
        return holder[part]
    return holder.setdefault(part, kind())
