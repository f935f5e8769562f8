"""kill -9 at many points of every operation: what was there before is there afterwards, and the next run finishes or cleans up."""

import asyncio
import os
import signal
import subprocess
import time

import pytest

from quarterdeck.runtime.storage.chain import flaws, load_all
from quarterdeck.runtime.storage.restore import restore

pytestmark = pytest.mark.integration
POINTS = [0.15, 0.25, 0.3, 0.35, 0.4, 0.5]
"""Seconds after which qd is killed; it needs about 0.2 to be imported and as much for its work."""


def kill_after(home, seconds, *words):
    """Run qd and kill it; what it started dies or ends by itself. Return whether it had ended before."""
    process = subprocess.Popen(home.words(*words), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(seconds)
    ended = process.poll() is not None
    if not ended:
        os.kill(process.pid, signal.SIGKILL)
    process.wait()
    return ended


def settle(home, layout):
    """Do what the next operation or start does first: finish or take back what was left."""
    asyncio.run(home.storage(layout).recover(None))
    home.whole(layout)


def test_snapshot_is_there_whole_or_not_at_all(home):
    layout = home.machine()
    home.pattern(layout, 0x22)
    before = home.content(layout)
    for number, seconds in enumerate(POINTS):
        kill_after(home, seconds, "snapshot", "create", "m", f"s{number}")
        settle(home, layout)
        assert home.content(layout) == before
    for one in home.storage(layout).snapshots():
        asyncio.run(home.storage(layout).restore_snapshot(one["tag"]))
        assert home.content(layout) == before


def test_interrupted_way_back_is_finished(home):
    layout = home.machine()
    asyncio.run(home.storage(layout).create_snapshot("a"))
    before = home.content(layout), home.content(layout, 1)
    for seconds in POINTS:
        home.pattern(layout, 0x33)
        home.pattern(layout, 0x33, index=1)
        changed = home.content(layout), home.content(layout, 1)
        kill_after(home, seconds, "snapshot", "restore", "m", "a", "--yes")
        settle(home, layout)
        assert (home.content(layout), home.content(layout, 1)) in (before, changed)


def test_interrupted_backups_leave_the_chain_whole(home):
    layout, folder = home.machine(), home.path / "backups"
    asyncio.run(home.storage(layout).back_up(folder))
    for number, seconds in enumerate(POINTS):
        home.pattern(layout, 0x40 + number, at=number * 65536)
        kill_after(home, seconds, "backup", "m", "--to", str(folder))
        settle(home, layout)
        assert list(flaws(folder)) == []
        assert not list(folder.glob(".partial-*"))
    last = asyncio.run(home.storage(layout).back_up(folder))
    made = asyncio.run(restore(home.store, folder, name="r", report=home.hear))
    assert load_all(folder)[-1].id == last["id"]
    assert home.content(made) == home.content(layout)


def test_interrupted_linked_clones_lose_nothing_of_the_original(home):
    layout = home.machine()
    for number, seconds in enumerate(POINTS):
        home.pattern(layout, 0x60 + number, at=number * 65536)
        before = home.content(layout)
        kill_after(home, seconds, "clone", "m", f"c{number}")
        settle(home, layout)
        assert home.content(layout) == before
    for name in home.store.names():
        assert len(home.content(home.store.layout(name))) == len(before)
