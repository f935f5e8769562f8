"""Places in a YAML or JSON document: ``("disks", 0, "size")`` and ``disks[0].size`` are the same one."""

from __future__ import annotations

Loc = tuple[str | int, ...]


def place(loc: Loc) -> str:
    """Return the dotted form of ``loc``."""
    text = ""
    for part in loc:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
