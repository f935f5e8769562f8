"""How values become QEMU arguments: JSON where QEMU takes it, ``key=value`` with doubled commas elsewhere.

Source: QEMU 7.2 and 10.0, ``util/keyval.c`` and ``util/qemu-option.c`` (a comma inside a value is written twice);
``-blockdev -device -object -netdev -display`` take JSON, ``-machine -smp -chardev -name`` and the rest do not.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from quarterdeck.errors import UsageError

Value = str | int | bool | None


def plain(text: str) -> str:
    """Return ``text`` as one whole argument, such as a kernel command line.

    Raises:
        UsageError: it holds a NUL, which ends an argument.
    """
    if "\0" in text:
        raise UsageError("nul-in-argument", f"{text!r} holds a NUL character", hint="remove it; no program can be given one")
    return text


def json_argument(options: Mapping[str, Any]) -> str:
    """Return ``options`` as a JSON argument; entries that are None are left out.

    Raises:
        UsageError: a text holds a NUL or bytes that are not UTF-8, which JSON cannot carry.
    """
    text = json.dumps(_checked(options), ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:
        hint = "rename the file so that its name is valid UTF-8"
        raise UsageError("not-utf8", f"{text!r} holds bytes that are not UTF-8", hint=hint) from None
    return text


def _checked(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _checked(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_checked(item) for item in value]
    return plain(value) if isinstance(value, str) else value


def comma_argument(first: str = "", /, **options: Value) -> str:
    """Return ``first,key=value,...`` with each comma inside a value doubled.

    True and false become ``on`` and ``off``; None is left out. Underscores of keyword names stay; use
    :func:`comma_pairs` for keys that are no Python names.
    """
    return comma_pairs(first, options)


def comma_pairs(first: str, options: Mapping[str, Value]) -> str:
    """Return ``first,key=value,...``; ``first`` is the value of QEMU's implied key and may be empty."""
    head = [_doubled(first)] if first else []
    return ",".join(head + [f"{key}={_doubled(_word(value))}" for key, value in options.items() if value is not None])


def _word(value: str | int | bool) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value)


def _doubled(text: str) -> str:
    return plain(text).replace(",", ",,")
