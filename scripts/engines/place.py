"""Where built engines are kept: in the tests' cache outside the checkout, each in a folder that is named by its key.

``engines/NAME-HASH/PROGRAM`` is what tests use. ``engines/workshop`` has Go, modules and objects while something is being built.
"""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

from scripts.engines.table import Engine
from tests.guests import shared_home

from quarterdeck.core.arch import host_arch

UNUSED_SECONDS = 30 * 86400.0
"""After so long without a run of this lane the programs of an older version go."""
WORKSHOP = "workshop"


def home() -> Path:
    """Return the folder of all engines, made if needed."""
    folder = shared_home() / "engines"
    folder.mkdir(exist_ok=True)
    return folder


def folder_of(engine: Engine) -> Path:
    """Return the folder of an engine's programs, whether they are there or not."""
    return home() / engine.key(host_arch().oci)


def is_built(engine: Engine) -> bool:
    """Whether all programs of an engine are there."""
    return all(os.access(folder_of(engine) / name, os.X_OK) for name in engine.programs)


def remove_old(in_use: set[Path]) -> None:
    """Note that ``in_use`` are used, and remove the programs that nobody used for long."""
    for folder in in_use:
        os.utime(folder)
    for folder in home().iterdir():
        if folder.is_dir() and folder.name != WORKSHOP and time.time() - folder.stat().st_mtime > UNUSED_SECONDS:
            shutil.rmtree(folder)


def occupied(folder: Path) -> int:
    """Return the bytes of all files in a folder; what vanishes meanwhile does not count."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(parent, name)).st_size
            except FileNotFoundError:
                continue
    return total
