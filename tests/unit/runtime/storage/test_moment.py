import asyncio
from types import SimpleNamespace
from typing import cast

import pytest

from quarterdeck.runtime.qmp import Status
from quarterdeck.runtime.storage.moment import moment
from quarterdeck.runtime.storage.subject import Subject


class Qemu:
    """A guest that takes a while to be let go."""

    def __init__(self) -> None:
        self.running = True
        self.asked = asyncio.Event()

    async def status(self):
        return Status(self.running, "running" if self.running else "paused")

    async def stop(self):
        self.running = False

    async def cont(self):
        self.asked.set()
        await asyncio.sleep(0.01)
        self.running = True


async def test_whoever_is_cancelled_while_the_guest_is_let_go_waits_until_it_is():
    qemu = Qemu()
    subject = cast(Subject, SimpleNamespace(live=SimpleNamespace(instance=SimpleNamespace(qmp=qemu), agent=None)))

    async def hold() -> None:
        async with moment(subject) as consistency:
            assert consistency == "crash"
            assert not qemu.running

    task = asyncio.create_task(hold())
    await qemu.asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert qemu.running


async def test_a_guest_that_was_asked_to_hold_still_is_let_go_when_the_caller_is_cancelled():
    asked, frozen = asyncio.Event(), [False]

    class Agent:
        """Freezes the guest at once and answers late."""

        async def execute(self, command: str, *, timeout: float) -> None:
            frozen[0] = command == "guest-fsfreeze-freeze"
            asked.set()
            await asyncio.sleep(timeout if frozen[0] else 0)

    subject = cast(Subject, SimpleNamespace(live=SimpleNamespace(instance=SimpleNamespace(qmp=Qemu()), agent=Agent())))

    async def hold() -> None:
        async with moment(subject):
            raise AssertionError("the agent has not answered")

    task = asyncio.create_task(hold())
    await asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert frozen == [False]
