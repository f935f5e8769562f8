"""Plain data to MachineSpec, with problems in the words of the person who wrote it."""

from __future__ import annotations

import dataclasses
import difflib
import functools
import typing
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from quarterdeck.core.place import Loc
from quarterdeck.machine.spec import MachineSpec


@dataclass(frozen=True)
class Finding:
    """Something wrong at ``loc``, before it is known what line or flag that place came from."""

    loc: Loc
    message: str
    hint: str = ""


@functools.cache
def adapter() -> TypeAdapter[MachineSpec]:
    """Return pydantic's reader of machine specs; made once, since making it takes tens of milliseconds."""
    return TypeAdapter(MachineSpec)


def validate(data: Any) -> MachineSpec | list[Finding]:
    """Return the spec that plain ``data`` describes, or everything that is wrong with its fields."""
    try:
        return adapter().validate_python(data)
    except ValidationError as error:
        return merge([_translate(details, data) for details in error.errors(include_url=False)])
    except RecursionError:
        return [Finding((), "is nested too deeply")]


def merge(findings: Iterable[Finding]) -> list[Finding]:
    """Join what the alternatives of one field say: ``must be a whole number, or must be ...`` becomes one sentence."""
    found = list(findings)
    merged: dict[Loc, Finding] = {}
    for finding in found:
        if any(len(other.loc) > len(finding.loc) and other.loc[: len(finding.loc)] == finding.loc for other in found):
            continue  # another alternative fitted better and says what is wrong inside
        before = merged.get(finding.loc)
        merged[finding.loc] = finding if before is None else _joined(before, finding)
    return list(merged.values())


def _joined(one: Finding, other: Finding) -> Finding:
    if other.message in one.message:
        return one
    return Finding(one.loc, f"{one.message} or {other.message.removeprefix('must be ')}", one.hint or other.hint)


def _translate(details: ErrorDetails, data: Any) -> Finding:
    loc, value = _place(details, data)
    context = details.get("ctx", {})
    match details["type"]:
        case "missing":
            return Finding(loc, "is required")
        case "unexpected_keyword_argument" | "extra_forbidden" | "invalid_key":
            return _unknown_field(loc)
        case "enum" | "literal_error":
            return _closed_set(loc, str(context["expected"]), value)
        case _:
            return Finding(loc, _message(details, str(loc[-1]) if loc else ""))


def _unknown_field(loc: Loc) -> Finding:
    *parent, name = loc
    close = difflib.get_close_matches(str(name), _field_names(tuple(parent)), n=1)
    return Finding(loc, "there is no such field", f"did you mean '{close[0]}'?" if close else "")


def _closed_set(loc: Loc, expected: str, value: Any) -> Finding:
    options = [option.strip("'") for option in expected.replace(" or ", ", ").split(", ")]
    close = difflib.get_close_matches(str(value), options, n=1) if isinstance(value, str) else []
    return Finding(loc, f"must be {_either(options)}", f"did you mean '{close[0]}'?" if close else "")


def _either(options: list[str]) -> str:
    quoted = [f"'{option}'" for option in options]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"


_PATTERNS = {
    "name": "must be lower-case letters, digits, '.', '_' or '-', at most 63, and begin and end with a letter or digit",
    "hostname": "must be letters, digits or '-', at most 63, and begin and end with a letter or digit",
    "user": "must be a Linux user name: lower-case letters, digits, '_' or '-'",
    "mac": "must be a MAC address such as 52:54:00:12:34:56",
    "serial": "must be 1 to 20 letters, digits, '_', '.', '+' or '-'",
    "resolution": "must be WIDTHxHEIGHT, such as 1280x800",
    "port": "must be the port's path, such as 1 or 1.4",
    "tag": "must be 1 to 31 letters, digits, '_', '.' or '-'",
    "path": "must be an absolute path",
    "checksum": "must be ALGORITHM:VALUE in hexadecimal digits, such as sha256:9f86d0... with all 64 of them",
    "owner": "must be USER or USER:GROUP",
    "mode": "must be octal digits in quotes, such as '0644'",
}

_MESSAGES = {
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "must be a smaller number",
    "bool_type": "must be true or false",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "dataclass_type": "must be a mapping of fields",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "string_unicode": "must be valid Unicode text",
}


def _message(details: ErrorDetails, field: str) -> str:
    kind, context = details["type"], details.get("ctx", {})
    if kind == "string_too_short":
        return "must not be empty"
    if kind == "string_too_long":
        return f"must have at most {context['max_length']} characters"
    if kind == "string_pattern_mismatch":
        return _PATTERNS[field] if field in _PATTERNS else f"must match {context['pattern']}"
    return _MESSAGES[kind].format(**context) if kind in _MESSAGES else details["msg"]


def _place(details: ErrorDetails, data: Any) -> tuple[Loc, Any]:
    """Return where in ``data`` the problem is, and the value there: pydantic's ``loc`` also names alternatives of unions."""
    path: list[str | int] = []
    for part in details["loc"]:
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            continue
        path.append(part)
    if details["type"] == "missing":
        path.append(details["loc"][-1])
    return tuple(path), data


def _field_names(parent: Loc) -> list[str]:
    kind = _dataclass_at(parent)
    return [field.name for field in dataclasses.fields(kind)] if kind else []


def _dataclass_at(loc: Loc) -> Any:
    kind: Any = MachineSpec
    for part in loc:
        if isinstance(part, str):
            kind = typing.get_type_hints(kind).get(part) if dataclasses.is_dataclass(kind) else None
        kind = _element(kind)
    return kind if dataclasses.is_dataclass(kind) else None


def _element(kind: Any) -> Any:
    """Return the dataclass inside ``tuple[X, ...]`` or ``X | None``, if there is one."""
    inner = [item for item in typing.get_args(kind) if dataclasses.is_dataclass(item)]
    return inner[0] if inner else kind
