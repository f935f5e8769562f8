"""qemu-img and qemu-io, started so that they end with us, and their failures in words."""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import Callable, Sequence
from typing import Any

from quarterdeck.core import process
from quarterdeck.core.process import ProcessError, run_async
from quarterdeck.errors import HostError, MediaError, QuarterdeckError

_PERCENT = re.compile(r"\((\d+(?:\.\d+)?)/100%\)")
_SECONDS = 600.0
_WATCH_SECONDS = 0.2

Tree = dict[str, Any]
"""How QEMU is to open an image: the options of ``-blockdev`` (QAPI ``BlockdevOptions``)."""


def file_name(tree: Tree) -> str:
    """Return the file name for qemu-img that means ``tree``: QEMU's ``json:`` pseudo-protocol, qemu(1)."""
    return "json:" + json.dumps(tree)


async def run_tool(
    words: Sequence[str | os.PathLike[str]],
    *,
    what: str,
    lock: int | None = None,
    on_percent: Callable[[float], None] | None = None,
    timeout: float | None = _SECONDS,
    cwd: str | os.PathLike[str] | None = None,
) -> bytes:
    """Run a program of QEMU and return its output; ``what`` says what is not possible when it fails.

    It holds ``lock`` too, and the kernel kills it when we are killed: nobody would be left to use what it makes.

    Raises:
        HostError: no space, or it is not installed.
        MediaError: it failed, or the image is in use.
    """
    setpriv = process.find("setpriv")
    leash = [setpriv, "--pdeathsig", "KILL", "--"] if setpriv else []
    report = None if on_percent is None else _percents(on_percent)
    # Looked up here, since setpriv would only say that it could not start something.
    program = process.find(os.fspath(words[0])) or os.fspath(words[0])
    try:
        done = await run_async(
            [*(leash if os.path.isabs(program) else []), program, *words[1:]],
            timeout=timeout, pass_fds=() if lock is None else (lock,), on_output=report, cwd=cwd,
        )  # fmt: skip
    except ProcessError as error:
        raise failure(what, error) from error
    return done.stdout


def run_tool_in_thread(words: Sequence[str | os.PathLike[str]], *, what: str, watch: Callable[[float], None]) -> bytes:
    """Do the same, however long it takes, from a thread that has no event loop.

    ``watch`` gets the percentage that is done several times a second; what it raises ends the program at once.

    Raises: as :func:`run_tool`.
    """
    return asyncio.run(_watched(words, what, watch))


async def _watched(words: Sequence[str | os.PathLike[str]], what: str, watch: Callable[[float], None]) -> bytes:
    percent = 0.0

    def note(done: float) -> None:
        nonlocal percent
        percent = done

    running = asyncio.create_task(run_tool(words, what=what, on_percent=note, timeout=None))
    try:
        while not (await asyncio.wait([running], timeout=_WATCH_SECONDS))[0]:
            watch(percent)
        return await running
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def check_idle(tree: Tree, *, what: str) -> None:
    """Make sure that nobody writes to the image that ``tree`` opens; ``what`` is not possible when somebody does.

    Of qemu-img's commands only a copy insists on that for raw images too: one sector of it goes nowhere.

    Raises:
        MediaError: it is in use, or cannot be opened.
    """
    sector = {"driver": "raw", "size": 512, "file": tree}
    nowhere = file_name({"driver": "null-co", "size": 512})
    await run_tool(["qemu-img", "convert", "-n", "-O", "null-co", file_name(sector), nowhere], what=what, timeout=60)


def failure(what: str, error: ProcessError) -> QuarterdeckError:
    """Return the error that tells why a program of QEMU failed; its words are those of strerror(3) in the C locale."""
    reason = error.reason
    if "No space left on device" in reason or "Disk quota exceeded" in reason:
        return HostError("disk-full", what, reason="the file system is full", hint="make room and try again; nothing was changed")
    if "Failed to get" in reason and " lock" in reason:
        hint = "shut down the machine that uses it, and try again"
        return MediaError("image-in-use", what, reason="another program has the image open for writing", hint=hint)
    return MediaError("disk-operation-failed", what, reason=reason, hint=error.hint)


def _percents(report: Callable[[float], None]) -> Callable[[str], None]:
    def line(text: str) -> None:
        if (found := _PERCENT.search(text)) is not None:
            report(float(found[1]))

    return line
