"""Folders that engines fill: with files of other users, and with mounts."""

from __future__ import annotations

import os
from pathlib import Path

from tests.engines.daemon import is_root
from tests.engines.namespace import Namespace

from quarterdeck.core.process import run

_OVERLAYFS = "overlay"
_REMOVE = """
awk -v below="$0/" 'index($5, below) == 1 { print $5 }' /proc/self/mountinfo | sort -r | xargs --no-run-if-empty umount --lazy
rm -rf -- "$0"
"""


def remove(folder: Path, inside: Namespace | None = None) -> None:
    """Unmount what an engine left mounted below ``folder`` and remove it, as the root who owns its files."""
    words = ["sh", "-c", _REMOVE, str(folder)]
    as_root = [] if is_root() else ["unshare", "--user", "--map-root-user", "--map-auto", "--mount", "--"]
    run(inside.argv(words) if inside else [*as_root, *words], check=False, timeout=60)


def occupied(folder: Path) -> int:
    """Return the bytes that a folder takes on its disk, without what is mounted in it."""
    return int(run(["du", "--summarize", "--one-file-system", "--block-size=1", folder], check=False, timeout=60).text.split()[0])


def storage_driver(folder: Path) -> str:
    """Return the driver of containers/storage that works in ``folder``: overlayfs does not stand on another overlayfs."""
    return "vfs" if _file_system(folder) == _OVERLAYFS else "overlay"


def _file_system(folder: Path) -> str:
    """Return the type of the file system that holds ``folder``; format of mountinfo: proc(5)."""
    place = os.path.realpath(folder)
    best, kind = "", ""
    for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace").splitlines():
        fields, _, tail = line.partition(" - ")
        point = fields.split()[4]
        if len(point) >= len(best) and (place + "/").startswith(point.rstrip("/") + "/"):
            best, kind = point, tail.split()[0]
    return kind
