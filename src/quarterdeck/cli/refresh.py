"""``qd run --refresh``: a new image before the machine is made, so that it begins with today's packages."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import TYPE_CHECKING

from quarterdeck.cli.progress import renderer
from quarterdeck.core.arch import find_arch, host_arch
from quarterdeck.core.report import Event, Step
from quarterdeck.errors import UsageError

if TYPE_CHECKING:
    from quarterdeck.cli.output import Progress
    from quarterdeck.machine.spec import MachineSpec


def refresh(spec: MachineSpec, mode: Progress) -> None:
    """Make the image that ``spec`` boots anew; machines that stand on the old one keep it.

    Raises:
        UsageError: it boots a file, which is what it is.
        QuarterdeckError: the image cannot be made; the old one stays.
    """
    from quarterdeck.media.resolve import resolve_boot

    if spec.boot is None or spec.boot.partition(":")[0] != "debian":
        raise UsageError("nothing-to-refresh", "--refresh makes Debian images anew", reason="this machine boots something else")
    arch = find_arch(spec.arch) if spec.arch else host_arch()
    shown = renderer(mode)

    def show(event: Event) -> None:
        shown.show("step" if isinstance(event, Step) else "message", asdict(event))

    try:
        asyncio.run(resolve_boot(spec.boot, arch, report=show, refresh=True))
    finally:
        shown.close()
