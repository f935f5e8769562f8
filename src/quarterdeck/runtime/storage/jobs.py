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
_POLL_SECONDS = 0.1
Progress = Callable[[int, int], None]


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


def _failure(reason: str) -> QemuError | HostError:
    if "No space left" in reason:
        return HostError("disk-full", "there is no space left", reason=reason, hint="make room and try again; the guest runs on")
    return QemuError("storage-failed", "QEMU could not do it", reason=reason)
