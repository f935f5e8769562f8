"""The stop ladder: ask the guest agent, press the power button, and at last quit QEMU."""

from __future__ import annotations

import asyncio

from quarterdeck.core.report import Level, Message, Reporter
from quarterdeck.errors import DeadlineError, QemuError
from quarterdeck.guest import commands
from quarterdeck.guest.qga import GuestAgent
from quarterdeck.runtime.instance import Instance
from quarterdeck.runtime.state import State, from_run_state

DEFAULT_SECONDS = 110.0
_AGENT_SECONDS = 20.0
_PRESS_AGAIN_SECONDS = 10.0


async def stop(instance: Instance, agent: GuestAgent | None, report: Reporter, *, timeout: float = DEFAULT_SECONDS) -> None:
    """End the guest, politely for ``timeout`` seconds, then at once; returns when QEMU is gone.

    ``agent`` is the guest's agent when it answers. A guest that cannot run any more (panicked, never started) is not asked.
    """
    try:
        async with asyncio.timeout(timeout):
            if await _can_listen(instance):
                await _ask(instance, agent, report, timeout)
    except TimeoutError:
        report(Message(Level.WARNING, f"the guest did not end within {timeout:g} s; QEMU is told to quit"))
    await instance.kill()


async def _can_listen(instance: Instance) -> bool:
    """Let a paused guest run again, since it must run to end; return whether it runs."""
    try:
        status = await instance.qmp.status()
        match from_run_state(status.status):
            case State.PANICKED | State.STARTING:
                return False
            case State.PAUSED if status.status == "suspended":
                await instance.qmp.wake()
            case State.PAUSED | State.IO_ERROR:
                await instance.qmp.cont()
            case _:
                return True
    except (QemuError, DeadlineError):
        return False
    return True


async def _ask(instance: Instance, agent: GuestAgent | None, report: Reporter, timeout: float) -> None:
    if agent is not None and await _agent_obeys(agent, report) and await _ends(instance, min(_AGENT_SECONDS, timeout / 3)):
        return
    while True:
        try:
            await instance.qmp.power_button()
        except QemuError:
            await instance.process.wait()
            return
        report(Message(Level.INFO, "the power button was pressed"))
        if await _ends(instance, _PRESS_AGAIN_SECONDS):
            return


async def _agent_obeys(agent: GuestAgent, report: Reporter) -> bool:
    try:
        await commands.shut_down(agent)
    except (QemuError, DeadlineError) as error:
        report(Message(Level.INFO, f"the guest agent did not shut the guest down: {error.reason or error.message}"))
        return False
    report(Message(Level.INFO, "the guest agent shuts the guest down"))
    return True


async def _ends(instance: Instance, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await instance.process.wait()
    except TimeoutError:
        return False
    return True
