"""Watches the guest agent: learns when it first answers, keeps its facts fresh, notices when it goes."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

from quarterdeck.core.report import Step, StepStatus
from quarterdeck.errors import DeadlineError, QemuError
from quarterdeck.guest import commands, facts
from quarterdeck.guest.facts import GuestFacts
from quarterdeck.guest.qga import GuestAgent
from quarterdeck.runtime.events import EventLog
from quarterdeck.runtime.guestclock import ClockWatch
from quarterdeck.runtime.state import EXECUTING, State, Trigger
from quarterdeck.runtime.status import Status

_FIRST_ANSWER_SECONDS = 30.0
_RETRY_SECONDS = 1.0
_REFRESH_SECONDS = 10.0
FELL_SILENT = "the guest agent stopped answering"
"""Why a machine whose agent once answered is only ``running``."""


class GuestWatch:
    """The agent of one machine, over all its restarts."""

    def __init__(self, status: Status, events: EventLog) -> None:
        self._status = status
        self._events = events
        self._clock = ClockWatch(status)
        self._news = asyncio.Event()
        self._facts: GuestFacts | None = None
        self.agent: GuestAgent | None = None

    @property
    def answering(self) -> bool:
        """Whether the agent answered lately."""
        return self._facts is not None

    def to_json(self) -> dict[str, Any]:
        """Return the answer of ``GET /guest``, at most ten seconds old."""
        return facts.UNAVAILABLE if self._facts is None else self._facts.to_json()

    def traffic(self) -> tuple[int, int] | None:
        """Return the bytes that the guest's network cards received and sent, or None when nobody knows."""
        if self._facts is None:
            return None
        cards = [card for card in self._facts.interfaces if card.received is not None and card.sent is not None and card.name != "lo"]
        if not cards:
            return None
        return sum(card.received or 0 for card in cards), sum(card.sent or 0 for card in cards)

    def poke(self) -> None:
        """Look again at once: the guest opened or closed the agent's channel, or runs again."""
        self._news.set()

    def stood_still(self) -> None:
        """The guest was paused and runs again: its clock is set as soon as its agent answers."""
        self._clock.stood_still()

    async def run(self, path: Path) -> None:
        """Watch the agent behind socket ``path`` until cancelled."""
        self.agent = GuestAgent(path)
        try:
            while True:
                self._news.clear()
                await self._look(self.agent)
                await self._pause(_REFRESH_SECONDS if self.answering else _RETRY_SECONDS)
        finally:
            self._lose()
            agent, self.agent = self.agent, None
            await agent.close()

    async def refresh(self) -> dict[str, Any]:
        """Ask the agent now and return what :meth:`to_json` does."""
        if self.agent is not None and self.answering:
            await self._look(self.agent)
        return self.to_json()

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            return

    async def _look(self, agent: GuestAgent) -> None:
        if self._status.state not in EXECUTING:
            return
        try:
            await commands.ping(agent, timeout=5.0 if self.answering else _FIRST_ANSWER_SECONDS)
            found = await facts.collect(agent)
            await self._clock.correct(agent, found.time_offset)
        except (QemuError, DeadlineError):
            self._lose()
            return
        self._found(found)

    def _found(self, found: GuestFacts) -> None:
        changed = self._facts is None or replace(self._facts, time_offset=None) != replace(found, time_offset=None)
        self._facts = found
        if self._status.state is State.RUNNING:
            self._status.apply(Trigger.AGENT_UP)
            self._status.report(Step("guest", StepStatus.DONE, found.os.name or "the guest agent answers"))
        if changed:
            self._events.publish("guest", found.to_json())

    def _lose(self) -> None:
        if self._facts is None:
            return
        self._facts = None
        self._status.apply(Trigger.AGENT_DOWN, FELL_SILENT)
        self._events.publish("guest", dict(facts.UNAVAILABLE))
