"""kill -9 in the middle of downloads, again and again, until one gets through."""

import asyncio
import hashlib
import os
import signal
import sys
from asyncio.subprocess import Process
from pathlib import Path

import pytest
from tests.integration.media.fetch.publisher import Publisher, Served, content

from quarterdeck.media.fetch import journal as journals

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[4]
ROUNDS = 5
SHARE = 6 << 20
"""Bytes that the server gives out in a round: more than all connections hold back before they write, so that each round gets on."""


async def test_kill_at_many_points_loses_nothing_that_was_journalled(lab: Publisher, tmp_path: Path) -> None:
    body = content((ROUNDS + 1) * SHARE)
    served = Served(body, allowed=0)
    url, sha256 = lab.add("/x.img", served), hashlib.sha256(body).hexdigest()
    parts, target = tmp_path / "parts", tmp_path / "x.img"
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.integration.media.fetch.downloader", url, sha256, parts, target,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, cwd=ROOT,
    )  # fmt: skip
    known = 0
    for round_number in range(ROUNDS):
        served.allowed = lab.sent.get("/x.img", 0) + SHARE
        pid = await _begin(child)
        await _until_there_is_more(parts, known)
        await asyncio.sleep(0.03 * round_number)
        os.kill(pid, signal.SIGKILL)
        assert await _answer(child) == -signal.SIGKILL
        before, known = known, _journalled(parts)
        assert known >= before
        part = next(parts.glob("*.part")).read_bytes()
        left = journals.load(next(parts.glob("*.json")), next(parts.glob("*.part")))
        assert left is not None
        assert all(part[start:end] == body[start:end] for start, end in left.written)
        await _until_nobody_is_served(lab)
    assert known > 0
    served.allowed, lab.sent = None, {}
    await _begin(child)
    assert await _answer(child) == 0
    assert hashlib.sha256(target.read_bytes()).hexdigest() == sha256
    assert lab.sent["/x.img"] <= len(body) - known
    assert child.stdin is not None
    child.stdin.close()
    assert await child.wait() == 0


async def _begin(child: Process) -> int:
    assert child.stdin is not None
    child.stdin.write(b"go\n")
    return await _answer(child)


async def _answer(child: Process) -> int:
    assert child.stdout is not None
    return int(await child.stdout.readline())


async def _until_nobody_is_served(lab: Publisher) -> None:
    for _ in range(6000):
        if not any(lab.active.values()):
            return
        await asyncio.sleep(0.01)
    raise AssertionError("the server does not notice that its client is gone")


async def _until_there_is_more(parts: Path, known: int) -> None:
    """Until this run has written a journal of its own."""
    for _ in range(6000):
        if _journalled(parts) > known:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("the download does not grow")


def _journalled(parts: Path) -> int:
    for path in parts.glob("*.json"):
        left = journals.load(path, path.with_suffix(".part"))
        return sum(end - start for start, end in left.written) if left is not None else 0
    return 0
