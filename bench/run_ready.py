"""How long until the guest agent answers: through ``qd start``, against the same QEMU command by hand.

Both boot the same disk, which has booted before, in turns.
"""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections.abc import Iterator
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
_PATIENCE_SECONDS = 30.0


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
    home.qd("stop", "--force", _NAME)
    return taken


def _by_hand(home: Home, argv: list[str]) -> float:
    layout = home.layout(_NAME)
    with (layout.root / "by-hand.log").open("wb") as log:
        start = time.perf_counter()
        qemu = spawn(argv, log=log.fileno())
        try:
            asyncio.run(_agent_answers(layout.socket("agent"), qemu))
            return time.perf_counter() - start
        finally:
            # As 'qd stop --force' does it: the end is not what is measured.
            qemu.send(signal.SIGTERM)
            qemu.wait_sync(60)


async def _agent_answers(socket: Path, qemu: ProcessHandle) -> None:
    """Wait for the agent with the patience that the supervisor has, so that both ask alike."""
    agent = GuestAgent(socket)
    limit = time.monotonic() + _BOOT_SECONDS
    while time.monotonic() < limit and qemu.alive():
        try:
            await commands.ping(agent, timeout=_PATIENCE_SECONDS)
        except (QemuError, DeadlineError):
            await asyncio.sleep(0.1)
            continue
        await agent.close()
        return
    raise DeadlineError("bench-by-hand", "the guest that was started by hand did not become ready")
