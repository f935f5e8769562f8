"""Secrets of one machine: the generated password, in secrets.json with mode 0600."""

from __future__ import annotations

import json
import secrets
from typing import Any

from quarterdeck.core import fs
from quarterdeck.machine.layout import MachineLayout

_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"
_GROUPS, _GROUP_LENGTH = 4, 4


def generate_password() -> str:
    """Return a password that is easy to read and type: 16 signs without look-alikes (l 1 o 0) in groups, 80 bits."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(_GROUP_LENGTH)) for _ in range(_GROUPS))


def load(layout: MachineLayout) -> dict[str, Any]:
    """Return the stored secrets; nothing when there are none or the file is damaged."""
    try:
        raw = json.loads(layout.secrets.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return raw if isinstance(raw, dict) else {}


def update(layout: MachineLayout, **changes: Any) -> None:
    """Lay ``changes`` over the stored secrets."""
    fs.update_json(layout.secrets, changes)


def password(layout: MachineLayout) -> str:
    """Return the machine's password; the first call makes it."""
    stored = load(layout).get("password")
    if isinstance(stored, str) and stored:
        return stored
    fresh = generate_password()
    update(layout, password=fresh)
    return fresh
