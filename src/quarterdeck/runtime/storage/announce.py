"""Tells everyone who watches that an operation on disks is under way: the step ``storage``, from its beginning to its end."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from quarterdeck.core.report import Reporter, Step, StepStatus
from quarterdeck.errors import QuarterdeckError

STEP = "storage"


@contextmanager
def announced(report: Reporter, what: str) -> Iterator[None]:
    """Report ``what`` (words such as ``making a backup``) as the running step, and how it ended."""
    report(Step(STEP, StepStatus.RUNNING, what))
    try:
        yield
    except BaseException as error:
        report(Step(STEP, StepStatus.FAILED, f"{what}: {_reason(error)}"))
        raise
    report(Step(STEP, StepStatus.DONE, what))


def _reason(error: BaseException) -> str:
    if isinstance(error, QuarterdeckError):
        return error.message
    return "cancelled" if isinstance(error, asyncio.CancelledError) else "failed"
