"""Reading request bodies and query parameters; whatever is not as described is a 400."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from typing import Any

from aiohttp import web

from quarterdeck.errors import UsageError

MAX_TIMEOUT = 86400
MAX_KEYS = 16
MAX_LOG = 4 << 20
"""Most bytes of a log that one request gets."""
DEFAULT_LOG = 64 << 10
MAX_TEXT = 4096
"""Longest name or path in a body: PATH_MAX of Linux."""
KEY_NAME = "^[a-z0-9_]{1,32}$"
"""How QEMU's key names look: the QKeyCode enumeration of its QMP schema."""


async def read_object(request: web.Request, allowed: Collection[str]) -> dict[str, Any]:
    """Return the JSON object in the body, ``{}`` when there is no body.

    Raises:
        UsageError: the body is not a JSON object, or has fields that are not ``allowed``.
    """
    raw = await request.read()
    if not raw.strip():
        return {}
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise UsageError("invalid-json", "the body is not JSON", hint="send a JSON object") from error
    if not isinstance(value, dict):
        raise UsageError("invalid-body", "the body is not a JSON object", hint="send something like {}")
    unknown = sorted(set(value) - set(allowed))
    if unknown:
        known = f"the fields are: {', '.join(sorted(allowed))}" if allowed else "this request takes no fields"
        raise UsageError("invalid-body", f"unknown field {json.dumps(unknown[0])[:80]}", hint=known)
    return value


def timeout(body: dict[str, Any]) -> float | None:
    """Return ``timeout`` in seconds, None when it is not given."""
    value = body.get("timeout")
    if value is None:
        return None
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not 0 <= value <= MAX_TIMEOUT:
        raise UsageError("invalid-timeout", f"timeout must be a number of seconds from 0 to {MAX_TIMEOUT}")
    return float(value)


def keys(body: dict[str, Any]) -> list[str]:
    """Return ``keys``: one combination of key names."""
    value = body.get("keys")
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_KEYS or not all(_is_key(key) for key in value):
        raise UsageError("invalid-keys", f"keys must be a list of 1 to {MAX_KEYS} QEMU key names", hint='such as ["ctrl", "alt", "delete"]')
    return list(value)


def flag(body: dict[str, Any], name: str) -> bool:
    """Return the boolean field ``name``, false when it is not given."""
    value = body.get(name, False)
    if not isinstance(value, bool):
        raise UsageError("invalid-body", f"{name} must be true or false")
    return value


def text(body: dict[str, Any], name: str) -> str | None:
    """Return the text field ``name``, None when it is not given."""
    value = body.get(name)
    if value is not None and (not isinstance(value, str) or not 1 <= len(value) <= MAX_TEXT or "\0" in value):
        raise UsageError("invalid-body", f"{name} must be a text of 1 to {MAX_TEXT} characters")
    return value


def whole(body: dict[str, Any], name: str, default: int | None = None) -> int:
    """Return the field ``name``: a whole number that is not negative."""
    value = body.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 63:
        raise UsageError("invalid-body", f"{name} must be a whole number")
    return value


def texts(body: dict[str, Any], name: str) -> list[str] | None:
    """Return the field ``name``: a list of texts, None when it is not given."""
    value = body.get(name)
    if value is not None and (not isinstance(value, list) or not all(isinstance(item, str) for item in value)):
        raise UsageError("invalid-body", f"{name} must be a list of texts")
    return value


def log_size(request: web.Request) -> int:
    """Return the query's ``bytes``."""
    text = request.query.get("bytes", str(DEFAULT_LOG))
    if not re.fullmatch(r"[0-9]{1,9}", text) or not 1 <= int(text) <= MAX_LOG:
        raise UsageError("invalid-bytes", f"bytes must be a whole number from 1 to {MAX_LOG}")
    return int(text)


def _is_key(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(KEY_NAME[1:-1], value) is not None
