"""Working containers that buildah leaves when it is interrupted outside a RUN: 1.28 was watched to do so."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from quarterdeck.build.engines.session import Session
from quarterdeck.core.report import Level, Message

_NAMES = frozenset({"buildah", "podman"})
# containers-storage.conf(5)
_STORAGE = "CONTAINERS_STORAGE_CONF"
_LOOKS = 10
_PAUSE_SECONDS = 0.1


@dataclass
class _Shared:
    """Builds of this process that go on in one storage, and what those that ended left there."""

    builds: int = 0
    left: set[str] = field(default_factory=set)


_SHARED: dict[tuple[str, ...], _Shared] = {}


@contextlib.asynccontextmanager
async def removed(session: Session, words: list[str], *, podman: bool) -> AsyncIterator[None]:
    """Remove the containers that a build inside the block made and left because it was ended.

    Their owner is not written anywhere, so nothing is removed while another buildah or podman uses the same storage: they may be its own.
    Builds of several platforms at once are all ours: the last of them to end removes what all have left.
    """
    place = (_storage_of_ours(session), *session.endpoint.wrap, *words)
    shared = _SHARED.setdefault(place, _Shared())
    shared.builds += 1  # before anything is waited for: the last of those that are counted forgets the place
    try:
        before = await _containers(session, words, podman=podman)
        try:
            yield
        except BaseException:
            shared.left |= await _containers(session, words, podman=podman) - before
            raise
    finally:
        shared.builds -= 1
        if not shared.builds:
            del _SHARED[place]
            await _remove(session, words, shared.left, podman=podman)


async def _remove(session: Session, words: list[str], found: set[str], *, podman: bool) -> None:
    # A second time, since on a full disk the first attempt frees the room that is needed to write down that they are gone.
    for _ in range(2):
        left = found and found & await _containers(session, words, podman=podman)
        if not left:
            return
        if await _others(session):
            text = "working containers may have been left: 'buildah containers' shows them, 'buildah rm' removes them"
            session.report(Message(Level.WARNING, text))
            return
        await session.ask([*words, "rm", *(["--force"] if podman else []), *sorted(left)], check=False)


async def _containers(session: Session, words: list[str], *, podman: bool) -> frozenset[str]:
    """Return the ids of working containers; podman shows them as external ones, whose status is Storage."""
    if not podman:
        return frozenset((await session.ask([*words, "containers", "--all", "--quiet", "--notruncate"], check=False)).text.split())
    done = await session.ask([*words, "ps", "--all", "--external", "--no-trunc", "--format={{.ID}} {{.Status}}"], check=False)
    return frozenset(line.split()[0] for line in done.text.splitlines() if line.split()[1:] == ["Storage"])


async def _others(session: Session) -> bool:
    """Whether a buildah or podman with the same storage goes on; one that is about to end is given a moment."""
    ours = _storage_of_ours(session)
    for _ in range(_LOOKS):
        if not any(_storage(pid) in (ours, None) for pid in os.listdir("/proc") if pid.isdigit() and _name(pid) in _NAMES):
            return False
        await asyncio.sleep(_PAUSE_SECONDS)
    return True


def _storage_of_ours(session: Session) -> str:
    return {**os.environ, **session.environment}.get(_STORAGE, "")


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
