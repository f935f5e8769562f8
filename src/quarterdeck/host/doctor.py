"""The wide view of this host for people: what it can do, what is missing, and how to mend it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from quarterdeck.errors import QuarterdeckError
from quarterdeck.host.check import Check, Status
from quarterdeck.host.checks import binfmt, emulators, engines, helpers, kernel, limits, network, processor, userns

Group = Callable[[], Awaitable[list[Check]]]

GROUPS: tuple[tuple[str, Group], ...] = (
    ("kernel", kernel.check),
    ("processor", processor.check),
    ("limits", limits.check),
    ("network", network.check),
    ("userns", userns.check),
    ("emulators", emulators.check),
    ("helpers", helpers.check),
    ("binfmt", binfmt.check),
    ("engines", engines.check),
)

_GROUP_SECONDS = 8.0


async def examine(groups: Sequence[tuple[str, Group]] = GROUPS) -> list[Check]:
    """Return all checks, in the order in which they are shown. Read-only; groups run at the same time and cannot stop each other."""
    found = await asyncio.gather(*(_examine_group(name, group) for name, group in groups))
    return [check for checks in found for check in checks]


def summarize(checks: Sequence[Check]) -> dict[str, object]:
    """Return how many checks ended how, and whether the host can run machines at all (key ``ready``)."""
    counts = {status.value: sum(check.status is status for check in checks) for status in Status}
    return {**counts, "ready": not any(check.fatal for check in checks)}


async def _examine_group(name: str, group: Group) -> list[Check]:
    try:
        async with asyncio.timeout(_GROUP_SECONDS):
            return await group()
    except TimeoutError:
        detail = f"did not end within {_GROUP_SECONDS:g} s"
    except QuarterdeckError as error:
        detail = f"{error.message}: {error.reason}" if error.reason else error.message
    except (OSError, ValueError) as error:
        detail = f"could not be examined: {error}"
    return [Check(key=f"group-{name}", title=name.capitalize(), status=Status.WARN, detail=detail)]
