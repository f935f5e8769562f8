"""Progress for programs: JSON lines."""

from __future__ import annotations

import json
import sys
from typing import Any

_RELEVANT = frozenset({"step", "message", "state"})


class JsonRenderer:
    """One JSON object a line."""

    def show(self, kind: str, data: dict[str, Any]) -> None:
        if kind in _RELEVANT:
            sys.stderr.write(json.dumps({"type": kind, **data}, ensure_ascii=False) + "\n")
            sys.stderr.flush()

    def close(self) -> None:
        """Nothing to restore."""
