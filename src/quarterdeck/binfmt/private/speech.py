"""The helper's side of the conversation: JSON objects, one a line, on standard input and output."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from typing import Any


def hear() -> dict[str, Any] | None:
    """Return the next object that was sent to this process, or None when the sender is gone."""
    line = sys.stdin.buffer.readline()
    return dict(json.loads(line)) if line else None


def tell(message: Mapping[str, Any]) -> None:
    """Send one object to the process that started this one; nothing happens when it is gone."""
    try:
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()
    except (BrokenPipeError, ConnectionResetError):
        # Else the interpreter complains when it flushes at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
