"""Working containers that buildah leaves when it is interrupted outside a RUN: 1.28 was watched to do so."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

from quarterdeck.build.engines.session import Session
from quarterdeck.core.report import Level, Message

_NAMES = frozenset({"buildah", "podman"})
# containers-storage.conf(5)
_STORAGE = "CONTAINERS_STORAGE_CONF"


@contextlib.asynccontextmanager
async def removed(session: Session, words: list[str], *, podman: bool) -> AsyncIterator[None]:
    """Remove the containers that a build inside the block made and left because it was ended.

    Their owner is not written anywhere, so nothing is removed while another buildah or podman uses the same storage: they may be its own.
    """
    before = await _containers(session, words, podman=podman)
    try:
        yield
    except BaseException:
        left = await _containers(session, words, podman=podman) - before
        if left and _others(session):
            text = "working containers may have been left: 'buildah containers' shows them, 'buildah rm' removes them"
            session.report(Message(Level.WARNING, text))
        elif left:
            await session.ask([*words, "rm", *(["--force"] if podman else []), *sorted(left)], check=False)
        raise


async def _containers(session: Session, words: list[str], *, podman: bool) -> frozenset[str]:
    """Return the ids of working containers; podman shows them as external ones, whose status is Storage."""
    if not podman:
        return frozenset((await session.ask([*words, "containers", "--all", "--quiet", "--notruncate"], check=False)).text.split())
    done = await session.ask([*words, "ps", "--all", "--external", "--no-trunc", "--format={{.ID}} {{.Status}}"], check=False)
    return frozenset(line.split()[0] for line in done.text.splitlines() if line.split()[1:] == ["Storage"])


def _others(session: Session) -> bool:
    """Whether a buildah or podman with the same storage runs now; ours has ended."""
    ours = {**os.environ, **session.environment}.get(_STORAGE, "")
    return any(_storage(pid) in (ours, None) for pid in os.listdir("/proc") if pid.isdigit() and _name(pid) in _NAMES)


def _name(pid: str) -> str:
    try:
        return os.path.basename(os.readlink(Path("/proc", pid, "exe")))
    except OSError:
        return ""


def _storage(pid: str) -> str | None:
    """Return which configuration of storage a process was given, empty for the default, None when that cannot be seen."""
    try:
        words = Path("/proc", pid, "environ").read_bytes().split(b"\0")
    except OSError:
        return None
    prefix = f"{_STORAGE}=".encode()
    return next((os.fsdecode(word.removeprefix(prefix)) for word in words if word.startswith(prefix)), "")
