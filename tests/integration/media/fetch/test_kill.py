"""kill -9 in the middle of downloads, again and again, until one gets through."""

import asyncio
import hashlib
import os
import signal
import sys
from pathlib import Path

import pytest
from tests.integration.media.fetch.publisher import Publisher, Served, content

from quarterdeck.core.process import spawn
from quarterdeck.media.fetch import journal as journals

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[4]


async def test_kill_at_many_points_loses_nothing_that_was_journalled(lab: Publisher, tmp_path: Path) -> None:
    body = content(48 << 20)
    served = Served(body, delay=0.2)
    url, sha256 = lab.add("/x.img", served), hashlib.sha256(body).hexdigest()
    parts, target = tmp_path / "parts", tmp_path / "x.img"
    argv: list[str | Path] = [sys.executable, "-m", "tests.integration.media.fetch.downloader", url, sha256, parts, target]
    known = 0
    for round_number in range(5):
        with (tmp_path / "log").open("ab") as log:
            child = spawn(argv, log=log.fileno(), cwd=ROOT)
        await _until_there_is_more(parts, known)
        await asyncio.sleep(0.07 * round_number)
        os.kill(child.pid, signal.SIGKILL)
        await child.wait()
        before, known = known, _journalled(parts)
        assert known >= before
        part = next(parts.glob("*.part")).read_bytes()
        left = journals.load(next(parts.glob("*.json")), next(parts.glob("*.part")))
        assert left is not None
        assert all(part[start:end] == body[start:end] for start, end in left.written)
    assert known > 0
    await _until_nobody_is_served(lab)
    served.delay, lab.sent = 0, {}
    with (tmp_path / "log").open("ab") as log:
        child = spawn(argv, log=log.fileno(), cwd=ROOT)
    assert await child.wait() == 0
    assert hashlib.sha256(target.read_bytes()).hexdigest() == sha256
    assert lab.sent["/x.img"] <= len(body) - known


async def _until_nobody_is_served(lab: Publisher) -> None:
    """The server notices only when it writes that its client was killed."""
    for _ in range(400):
        if not any(lab.active.values()):
            return
        await asyncio.sleep(0.05)


async def _until_there_is_more(parts: Path, known: int) -> None:
    """Until this run has written a journal of its own."""
    for _ in range(400):
        if _journalled(parts) > known:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the download does not grow")


def _journalled(parts: Path) -> int:
    for path in parts.glob("*.json"):
        left = journals.load(path, path.with_suffix(".part"))
        return sum(end - start for start, end in left.written) if left is not None else 0
    return 0
