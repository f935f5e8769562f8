"""The render nodes of this host's GPUs: device files that draw without owning a screen.

Source: the kernel's Documentation/gpu/drm-uapi.rst, "Render nodes". EGL opens the file itself, so QEMU's user must be allowed to.
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from quarterdeck.core.process import Identity
from quarterdeck.host.facts import RenderNode
from quarterdeck.host.files import below
from quarterdeck.host.identity import NOBODY

_FOLDER = "/dev/dri"
_NAME = re.compile(r"renderD\d{1,4}", re.ASCII)
_READ_WRITE = 0o6


def render_nodes(identity: Identity | None, root: Path = Path("/")) -> tuple[RenderNode, ...]:
    """Return the render nodes, and whether ``identity`` (None: the caller) can open each."""
    try:
        names = sorted(name for name in os.listdir(below(root, _FOLDER)) if _NAME.fullmatch(name))
    except OSError:
        return ()
    return tuple(_node(f"{_FOLDER}/{name}", identity, root) for name in names)


def _node(path: str, identity: Identity | None, root: Path) -> RenderNode:
    file = below(root, path)
    if identity is None:
        return RenderNode(path, None if os.access(file, os.R_OK | os.W_OK) else "you may not open it")
    try:
        status = os.stat(file)
    except OSError as error:
        return RenderNode(path, error.strerror or str(error))
    mode = stat.S_IMODE(status.st_mode)
    if mode & _READ_WRITE == _READ_WRITE:
        return RenderNode(path)
    if mode >> 3 & _READ_WRITE == _READ_WRITE and status.st_gid not in (0, NOBODY):
        return RenderNode(path, group=status.st_gid)
    return RenderNode(path, f"user {identity.uid}, as whom QEMU runs, may not open it, and there is no group that may")
