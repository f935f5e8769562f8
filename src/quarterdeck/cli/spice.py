"""``qd open --spice``: the guest's screen in remote-viewer."""

from __future__ import annotations

import os
import sys
import tempfile

from quarterdeck.cli.output import results, say
from quarterdeck.core import process
from quarterdeck.runtime.client import SupervisorClient

_VIEWER = "remote-viewer"
_DESKTOPS = ("DISPLAY", "WAYLAND_DISPLAY")


def open_spice(client: SupervisorClient, *, print_only: bool) -> None:
    """Start remote-viewer with a file that lets in for two minutes; without it, or a desktop, tell where the file is.

    Raises:
        UsageError: the machine has no SPICE screen.
    """
    text = client.fetch("POST", "/spice")
    if print_only:
        sys.stdout.write(text.decode())
        return
    path = _write(text)
    viewer = process.find(_VIEWER) if any(os.environ.get(name) for name in _DESKTOPS) else None
    if viewer is not None:
        _start(viewer, path)
        return
    results.print(path, markup=False)
    say(f"No {_VIEWER} here, or no desktop. Open the file within two minutes where there is one: {_VIEWER} {path}")


def _write(text: bytes) -> str:
    """Write the file where only its owner can read it: it holds a password. remote-viewer deletes it."""
    handle, path = tempfile.mkstemp(prefix="quarterdeck-", suffix=".vv", dir=os.environ.get("XDG_RUNTIME_DIR"))
    with os.fdopen(handle, "wb") as file:
        file.write(text)
    return path


def _start(viewer: str, path: str) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        process.spawn([viewer, path], log=nowhere)
    finally:
        os.close(nowhere)
