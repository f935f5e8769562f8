"""Temporary folders that other users walk through; pytest's own are closed to them."""

import tempfile
from pathlib import Path


def open_to_others(folder: Path) -> Path:
    """Let others walk into ``folder``, and return it; folders above the one for all temporary files are left alone."""
    top = Path(tempfile.gettempdir()).resolve()
    for place in (folder, *folder.resolve().parents):
        if not place.resolve().is_relative_to(top) or place == top:
            break
        if place.stat().st_mode & 0o011 != 0o011:
            place.chmod(place.stat().st_mode | 0o011)
    return folder
