"""Steps and messages in words."""

from __future__ import annotations

from typing import Any

from quarterdeck.core.size import format_size

_TITLES = {
    "host": "Host",
    "image": "Image",
    "disk": "Disk",
    "qemu": "QEMU",
    "console": "Console",
    "guest": "Guest",
    "storage": "Disks",
    "backup": "Backup",
    "clone": "Clone",
    "export": "Copy",
}
_LEVEL_STYLES = {"warning": "yellow", "error": "red"}


def title(data: dict[str, Any]) -> str:
    """Return the name of a step as people read it."""
    step = str(data.get("step", ""))
    return _TITLES.get(step, step)


def level_style(data: dict[str, Any]) -> str:
    """Return the style of a message."""
    return _LEVEL_STYLES.get(str(data.get("level")), "")


def amount(data: dict[str, Any]) -> str:
    """Return how far a step is, in words: ``3 of 8``, ``1.5 MiB``."""
    done, total = data.get("done"), data.get("total")
    if not isinstance(done, int):
        return ""
    show = format_size if data.get("unit") == "bytes" else str
    return f"{show(done)} of {show(total)}" if isinstance(total, int) else show(done)
