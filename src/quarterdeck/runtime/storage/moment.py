"""The moment of a snapshot or backup: file systems frozen where the agent answers, processors held, and both let go in any case."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

from quarterdeck.core.report import Level
from quarterdeck.errors import DeadlineError, QemuError
from quarterdeck.guest.qga import GuestAgent
from quarterdeck.runtime.storage.subject import Live, Subject

_FREEZE_SECONDS = 20.0
_THAW_SECONDS = 10.0


@asynccontextmanager
async def moment(subject: Subject, *, freeze: bool = True) -> AsyncIterator[str]:
    """Hold the guest inside the block; yields how consistent its disks are: ``stopped``, ``agent`` or ``crash``.

    A guest that was paused before stays paused.
    """
    live = subject.live
    if live is None:
        yield "stopped"
        return
    running = (await live.instance.qmp.status()).running
    frozen = freeze and running and await _freeze(live.agent, subject)
    try:
        if running:
            await live.instance.qmp.stop()
        yield "agent" if frozen else "crash"
    finally:
        await _in_any_case(_let_go(live, running=running, frozen=frozen))


async def release(live: Live) -> None:
    """Let go a guest that somebody who was killed was holding; no error when nobody was."""
    await _let_go(live, running=True, frozen=live.agent is not None)


async def _in_any_case(work: Coroutine[Any, Any, None]) -> None:
    """Do ``work`` to its end, also when the caller is cancelled: what it does next must not begin before."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise


async def _freeze(agent: GuestAgent | None, subject: Subject) -> bool:
    """Ask the guest to write everything out and hold still (guest-fsfreeze-freeze, QEMU guest agent 7.2)."""
    if agent is None:
        return False
    try:
        await agent.execute("guest-fsfreeze-freeze", timeout=_FREEZE_SECONDS)
    except (QemuError, DeadlineError) as error:
        subject.tell(f"the guest's file systems were not frozen: {error.reason or error.message}", Level.WARNING)
        await _thaw(agent)
        return False
    except asyncio.CancelledError:
        # The request may have reached the guest, and nobody else would ever let it go.
        await _in_any_case(_thaw(agent))
        raise
    return True


async def _thaw(agent: GuestAgent) -> None:
    with suppress(QemuError, DeadlineError):
        await agent.execute("guest-fsfreeze-thaw", timeout=_THAW_SECONDS)


async def _let_go(live: Live, *, running: bool, frozen: bool) -> None:
    if running:
        with suppress(QemuError, DeadlineError):
            if not (await live.instance.qmp.status()).running:
                await live.instance.qmp.cont()
    if frozen and live.agent is not None:
        await _thaw(live.agent)
