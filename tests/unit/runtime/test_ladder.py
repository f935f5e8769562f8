"""The stop ladder against a guest that is only a script."""

import asyncio
from typing import Any, cast

import pytest

from quarterdeck.errors import QemuError
from quarterdeck.guest.qga import AgentError, GuestAgent
from quarterdeck.runtime import ladder
from quarterdeck.runtime.instance import Instance
from quarterdeck.runtime.qmp import Status


class Guest:
    """QEMU, its QMP connection and its process in one; ends at the rungs named in ``obeys``."""

    def __init__(self, status: str = "running", obeys: str = "") -> None:
        self.status_now = status
        self.obeys = obeys
        self.done: list[str] = []
        self.ended = asyncio.Event()
        self.qmp = self
        self.process = self

    def _do(self, what: str) -> None:
        self.done.append(what)
        if what == self.obeys:
            self.ended.set()

    async def wait(self) -> None:
        await self.ended.wait()

    async def status(self) -> Status:
        if self.status_now == "lost":
            raise QemuError("qmp-lost", "gone")
        return Status(self.status_now == "running", self.status_now)

    async def cont(self) -> None:
        self._do("cont")

    async def wake(self) -> None:
        self._do("wake")

    async def power_button(self) -> None:
        self._do("button")

    async def kill(self) -> None:
        self._do("kill")
        self.ended.set()


class Agent(GuestAgent):
    def __init__(self, guest: Guest, *, willing: bool = True) -> None:
        self.guest = guest
        self.willing = willing

    async def send_only(self, command: str, arguments: Any = None, *, timeout: float = 5.0) -> None:
        if not self.willing:
            raise AgentError(command, "CommandDisabled", "not allowed")
        self.guest._do("agent")


async def _stop(guest: Guest, agent: Agent | None = None, timeout: float = 0.2) -> list[str]:
    texts: list[str] = []
    await ladder.stop(cast(Instance, guest), agent, lambda event: texts.append(cast(Any, event).text), timeout=timeout)
    return texts


async def test_willing_agent_is_enough():
    guest = Guest(obeys="agent")
    await _stop(guest, Agent(guest))
    assert guest.done == ["agent", "kill"]


async def test_button_is_pressed_without_an_agent():
    guest = Guest(obeys="button")
    await _stop(guest)
    assert guest.done == ["button", "kill"]


async def test_button_follows_an_agent_that_refuses():
    guest = Guest(obeys="button")
    texts = await _stop(guest, Agent(guest, willing=False))
    assert guest.done == ["button", "kill"]
    assert "not allowed" in texts[0]


async def test_button_follows_a_guest_that_does_not_keep_its_word():
    guest = Guest(obeys="button")
    await _stop(guest, Agent(guest))
    assert guest.done == ["agent", "button", "kill"]


async def test_quit_is_last_and_said():
    guest = Guest()
    texts = await _stop(guest)
    assert guest.done == ["button", "kill"]
    assert texts[-1] == "the guest did not end within 0.2 s; QEMU is told to quit"


@pytest.mark.parametrize(("status", "first"), [("paused", "cont"), ("io-error", "cont"), ("suspended", "wake")])
async def test_halted_guest_runs_again_to_hear(status, first):
    guest = Guest(status, obeys="button")
    await _stop(guest)
    assert guest.done == [first, "button", "kill"]


@pytest.mark.parametrize("status", ["guest-panicked", "prelaunch", "lost"])
async def test_guest_that_cannot_hear_is_not_asked(status):
    guest = Guest(status)
    await _stop(guest)
    assert guest.done == ["kill"]


async def test_no_time_at_all_is_the_plug():
    guest = Guest()
    await _stop(guest, timeout=0.0)
    assert guest.done[-1] == "kill"
