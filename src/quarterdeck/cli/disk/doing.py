"""One operation on disks: its progress shown, its end by a signal made orderly, its result printed."""

from __future__ import annotations

import asyncio
import dataclasses
import signal
import time
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from quarterdeck.cli.output import Progress, print_json, results
from quarterdeck.cli.progress import renderer
from quarterdeck.core.report import Event, Reporter, Step

if TYPE_CHECKING:
    from quarterdeck.media.disk.convert import Made

_T = TypeVar("_T")
_SIGNALS = (signal.SIGTERM, signal.SIGHUP)


def perform(work: Callable[[Reporter], Coroutine[Any, Any, _T]], mode: Progress) -> _T:
    """Do ``work`` and return what it returns. Ctrl-C, SIGTERM and SIGHUP end it, and nothing of it stays behind."""
    shown = renderer(mode)

    def report(event: Event) -> None:
        data: dict[str, Any] = {"time": time.time(), **dataclasses.asdict(event)}
        shown.show("step" if isinstance(event, Step) else "message", data)

    try:
        return asyncio.run(_interruptible(work(report)))
    finally:
        shown.close()


def print_made(made: Made, *, json: bool) -> None:
    """Print what was made: its path, or all about it."""
    if json:
        print_json(made.to_json())
    else:
        results.print(str(made.path), markup=False)


async def _interruptible(work: Coroutine[Any, Any, _T]) -> _T:
    task = asyncio.ensure_future(work)
    received: list[int] = []

    def end(number: int) -> None:
        received.append(number)
        task.cancel()

    loop = asyncio.get_running_loop()
    for number in _SIGNALS:
        loop.add_signal_handler(number, end, number)
    try:
        return await task
    except asyncio.CancelledError:
        if received:
            raise typer.Exit(128 + received[0]) from None
        raise
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)
