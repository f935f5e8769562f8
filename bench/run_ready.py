"""How long until the guest agent answers: through ``qd start``, against the same QEMU command by hand.

Both boot the same disk, which has booted before, in turns.
"""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

from bench.figures import Figure, in_turns, median, seconds, spread
from bench.machines import Home, debian
from quarterdeck.core.handle import ProcessHandle
from quarterdeck.core.process import spawn
from quarterdeck.errors import DeadlineError, QemuError
from quarterdeck.guest import commands
from quarterdeck.guest.qga import GuestAgent

_NAME = "ready"
_BOOT_SECONDS = 300.0


def measure(runs: int) -> Iterator[Figure]:
    """Yield the time to agent ready, from ``runs`` boots each way."""
    with debian(_NAME) as home:
        argv = by_hand(home)
        ours, bare = in_turns(runs, lambda: _through_qd(home), lambda: _by_hand(home, argv))
    value, baseline = median(ours), median(bare)
    late = value - baseline
    yield Figure(
        "qd start, until the agent answers",
        value,
        "s",
        "QEMU by hand",
        baseline,
        f"within 0.5 s (now {late:+.2f} s)",
        late < 0.5,
        spread(ours),
    )


def by_hand(home: Home) -> list[str]:
    """Return the machine's QEMU command as one would type it: not paused before the guest begins."""
    explained = json.loads(home.qd("explain", "debian", "--name", _NAME, "--json"))
    words: list[str] = explained["programs"][-1]["argv"]
    return [word for word in words if word != "-S"]


def _through_qd(home: Home) -> float:
    def boot() -> None:
        home.qd("start", _NAME)
        home.wait_for(_NAME, "ready")

    taken = seconds(boot)
    home.stop(_NAME)
    return taken


def _by_hand(home: Home, argv: list[str]) -> float:
    layout = home.layout(_NAME)
    with (layout.root / "by-hand.log").open("wb") as log:
        start = time.perf_counter()
        qemu = spawn(argv, log=log.fileno())
        try:
            return asyncio.run(_agent_answers(layout.socket("agent"), qemu)) - start
        finally:
            if not qemu.wait_sync(60):
                qemu.send(signal.SIGTERM)


async def _agent_answers(socket: Path, qemu: ProcessHandle) -> float:
    """Return when the agent answered, on the clock of ``perf_counter``, then shut the guest down."""
    agent = GuestAgent(socket)
    await _until(qemu, lambda: commands.ping(agent, timeout=0.5))
    answered = time.perf_counter()
    # The agent answers before the guest's system manager takes orders.
    await _until(qemu, lambda: commands.shut_down(agent))
    await agent.close()
    return answered


async def _until(qemu: ProcessHandle, action: Callable[[], Awaitable[None]]) -> None:
    """Try ``action`` until it works."""
    limit = time.monotonic() + _BOOT_SECONDS
    while time.monotonic() < limit and qemu.alive():
        try:
            await action()
        except (QemuError, DeadlineError):
            await asyncio.sleep(0.05)
            continue
        return
    raise DeadlineError("bench-by-hand", "the guest that was started by hand did not become ready")
