"""Long work inside QEMU: jobs (QEMU 7.2 ``qapi/job.json``), watched until they end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from quarterdeck.errors import DeadlineError, HostError, QemuError
from quarterdeck.runtime.qmp import Qmp

PREFIX = "qd-"
"""How the names of our jobs, nodes and bitmaps begin."""
BY_HAND = {"auto-dismiss": False, "auto-finalize": False, "speed": 1}
"""Arguments of a block job that can be held, and that ends when it is told to.

``stop``, ``cont`` and a reset of the guest move its disks between I/O threads and the main thread, which works off what else waits for
the main thread meanwhile. A job that ended there would change the same graph of nodes; before 9.0, when each thread's nodes had a lock,
that ended QEMU: "qemu_mutex_unlock_impl: Operation not permitted" (7.2: ``bdrv_try_change_aio_context``, ``job_exit``). So it may end
only in ``job-finalize``, which QEMU does by itself. The least ``speed``, one byte a second, keeps what must be waited for small.
"""
_POLL_SECONDS = 0.1
_HOLD_SECONDS = 0.002
_END_SECONDS = 300.0
_HELD = frozenset({"paused", "pending", "concluded"})
Progress = Callable[[int, int], None]


async def hold(qmp: Qmp, names: Sequence[str]) -> None:
    """Wait until jobs that were begun :data:`BY_HAND` do nothing any more; :func:`finish` lets them go on.

    Raises:
        QemuError: QEMU is gone.
    """
    for name in names:
        with suppress(QemuError):  # one that has done its work, or failed, cannot be held and need not be
            await qmp.execute("job-pause", {"id": name})
    while True:
        if all(job["status"] in _HELD for job in await ours(qmp, names)):
            return
        await asyncio.sleep(_HOLD_SECONDS)


async def finish(qmp: Qmp, names: Sequence[str], *, progress: Progress | None = None) -> None:
    """Wait until all jobs have ended and forget them; ``progress`` is called with what is done of how much, in the jobs' units.

    When one fails, or the caller is cancelled, the others are cancelled too.

    Raises:
        HostError: a disk is full.
        QemuError: a job failed, or QEMU is gone.
    """
    try:
        while True:
            jobs = await ours(qmp, names)
            if progress is not None:
                progress(sum(int(job["current-progress"]) for job in jobs), sum(int(job["total-progress"]) for job in jobs))
            failed = [job for job in jobs if job.get("error")]
            if failed:
                raise _failure(str(failed[0]["error"]))
            if all(job["status"] == "concluded" for job in jobs):
                break
            for job in jobs:
                await _move_on(qmp, job)
            await asyncio.sleep(_POLL_SECONDS)
    finally:
        await cancel(qmp, names)


async def cancel(qmp: Qmp, names: Sequence[str] | None = None) -> None:
    """End jobs, all of ours by default, and forget them; what is gone, or goes with QEMU, is no error."""
    while True:
        try:
            jobs = await ours(qmp, names)
        except (QemuError, DeadlineError):
            return
        if not jobs:
            return
        for job in jobs:
            command = "job-dismiss" if job["status"] == "concluded" else "job-cancel"
            with suppress(QemuError, DeadlineError):
                await qmp.execute(command, {"id": job["id"]})
        await asyncio.sleep(0 if all(job["status"] == "concluded" for job in jobs) else _POLL_SECONDS)


async def ours(qmp: Qmp, names: Sequence[str] | None) -> list[dict[str, Any]]:
    """Return the jobs of these names, or all that are ours."""
    jobs = await qmp.execute("query-jobs")
    found = [job for job in jobs if isinstance(job, dict)] if isinstance(jobs, list) else []
    return [job for job in found if (str(job["id"]).startswith(PREFIX) if names is None else job["id"] in names)]


async def _move_on(qmp: Qmp, job: dict[str, Any]) -> None:
    """Let a job go on that was held, or end that has done its work. QEMU holds jobs for moments too, and refuses then."""
    with suppress(QemuError):
        if job["status"] == "paused":
            await qmp.execute("block-job-set-speed", {"device": job["id"], "speed": 0})
            await qmp.execute("job-resume", {"id": job["id"]})
        elif job["status"] == "pending":
            await qmp.execute("job-finalize", {"id": job["id"]}, timeout=_END_SECONDS)


def _failure(reason: str) -> QemuError | HostError:
    if "No space left" in reason:
        return HostError("disk-full", "there is no space left", reason=reason, hint="make room and try again; nothing was lost")
    return QemuError("storage-failed", "QEMU could not do it", reason=reason)
