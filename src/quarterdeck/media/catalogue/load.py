"""Files of the catalogue to entries, with problems that name file and line."""

from __future__ import annotations

import difflib
import functools
from dataclasses import fields
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from quarterdeck.core.place import Loc, place
from quarterdeck.core.yamltext import Document, read_yaml
from quarterdeck.errors import Problem, UsageError
from quarterdeck.media.catalogue.model import Entry, Kind, RedirectRule

_MESSAGES = {
    "missing": "is required",
    "string_type": "must be text; put it in quotes",
    "tuple_type": "must be a list",
    "mapping_type": "must be a mapping",
    "dataclass_type": "must be a mapping of fields",
    "string_pattern_mismatch": "is not written as it has to be",
}


class CatalogueError(UsageError):
    """A file of the catalogue cannot be used; carries all problems found."""

    def __init__(self, source: str, problems: list[Problem]) -> None:
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        reason = "\n".join(str(problem) for problem in problems)
        super().__init__(
            "invalid-catalogue",
            f"{source}: {count}",
            reason=reason,
            hint="docs/images.md describes the fields; 'qd catalogue show NAME --json' prints an entry as an example",
        )
        self.problems = tuple(problems)


@functools.cache
def _adapter() -> TypeAdapter[Entry]:
    return TypeAdapter(Entry)


def load_entries(text: str | bytes, source: str) -> tuple[Entry, ...]:
    """Return the entries of a YAML text: a mapping of fields, or a list of such mappings.

    Raises:
        CatalogueError: with all problems, each with its line.
    """
    document = _read(text)
    if not document.complete or document.problems:
        raise CatalogueError(source, document.problems)
    several = isinstance(document.data, list)
    entries: list[Entry] = []
    for number, data in enumerate(document.data if several else [document.data]):
        prefix: Loc = (number,) if several else ()
        found = _entry(data)
        if isinstance(found, Entry):
            entries.append(found)
            found = _check(found)
        document.problems.extend(Problem(place((*prefix, *loc)), message, document.line((*prefix, *loc))) for loc, message in found)
    if document.problems:
        raise CatalogueError(source, document.problems)
    return tuple(entries)


def _read(text: str | bytes) -> Document:
    try:
        return read_yaml(text if isinstance(text, str) else text.decode())
    except UnicodeDecodeError:
        return Document(problems=[Problem("", "is not UTF-8 text")], complete=False)


def _entry(data: Any) -> Entry | list[tuple[Loc, str]]:
    if not isinstance(data, dict):
        return [((), "an entry is a mapping of fields, such as 'name: mint'")]
    try:
        return _adapter().validate_python(data)
    except ValidationError as error:
        return [_problem(details, data) for details in error.errors(include_url=False)]


def _problem(details: ErrorDetails, data: Any) -> tuple[Loc, str]:
    kind = details["type"]
    loc = _place(details, data)
    if kind in ("enum", "literal_error"):
        return loc, f"must be {details['ctx']['expected']}"
    if kind in ("unexpected_keyword_argument", "extra_forbidden", "invalid_key"):
        close = difflib.get_close_matches(str(loc[-1]), [field.name for field in fields(Entry)], n=1) if len(loc) == 1 else []
        return loc, "there is no such field" + (f" (did you mean '{close[0]}'?)" if close else "")
    return loc, _MESSAGES.get(kind, details["msg"])


def _place(details: ErrorDetails, data: Any) -> Loc:
    """Where in ``data`` the problem is; pydantic also names the alternative of a union that was tried."""
    path: list[str | int] = []
    loc = details["loc"]
    for number, part in enumerate(loc):
        if number > 1 and loc[number - 2] == "find":
            continue  # the name of the rule
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            continue
        path.append(part)
    if details["type"] == "missing":
        path.append(details["loc"][-1])
    return tuple(path)


def _check(entry: Entry) -> list[tuple[Loc, str]]:
    """What no field can tell by itself."""
    found: list[tuple[Loc, str]] = []
    files = entry.kind not in (Kind.BOOTSTRAP, Kind.INSTEAD)
    if files != bool(entry.images):
        found.append((("images",), "is required" if files else f"means nothing for kind {entry.kind}"))
    if (entry.kind is Kind.INSTEAD) != (entry.instead is not None):
        found.append((("instead",), "is required" if entry.kind is Kind.INSTEAD else f"means nothing for kind {entry.kind}"))
    found.extend((("instead_on", arch), "is an architecture that it has") for arch in entry.instead_on if arch in entry.arches)
    for number, image in enumerate(entry.images):
        rules = [rule.signature for rule in image.find if not isinstance(rule, RedirectRule)]
        signed = [*rules, image.signature, image.checksum and image.checksum.signature]
        if any(signed) and not entry.keys:
            found.append((("images", number), "has a signature, but the entry has no keys to check it with"))
        if image.signature and entry.keys and not entry.openpgp_keys:
            found.append((("images", number, "signature"), "must be an OpenPGP signature; keys of signify are for lists of checksums"))
        if image.kind in (Kind.BOOTSTRAP, Kind.INSTEAD):
            found.append((("images", number, "kind"), "must be iso, cloud or coreos"))
    return found
