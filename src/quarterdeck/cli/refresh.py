"""``qd run --refresh``: the image anew before the machine is made, so that it begins with what is there today."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from quarterdeck.cli.progress import renderer
from quarterdeck.core.arch import find_arch, host_arch
from quarterdeck.core.report import Event, Step
from quarterdeck.core.url import is_url
from quarterdeck.errors import UsageError

if TYPE_CHECKING:
    from quarterdeck.cli.output import Progress
    from quarterdeck.machine.spec import MachineSpec
    from quarterdeck.media.boot_media import Fetch


def refresh(spec: MachineSpec, mode: Progress) -> None:
    """Make or fetch the image that ``spec`` boots anew; machines that stand on the old one keep it.

    Raises:
        UsageError: it boots a file, which is what it is.
        QuarterdeckError: the image cannot be made or fetched; the old one stays.
    """
    from quarterdeck.media.resolve import resolve_boot
    from quarterdeck.runtime.assets import to_fetch

    if spec.boot is None or not asyncio.run(_is_elsewhere(spec.boot, to_fetch(spec.fetch))):
        raise UsageError("nothing-to-refresh", "--refresh makes or fetches images anew", reason="this machine boots a file of this host")
    arch = find_arch(spec.arch) if spec.arch else host_arch()
    shown = renderer(mode)

    def show(event: Event) -> None:
        shown.show("step" if isinstance(event, Step) else "message", asdict(event))

    try:
        asyncio.run(resolve_boot(spec.boot, arch, fetch=replace(to_fetch(spec.fetch), refresh=True), report=show))
    finally:
        shown.close()


async def _is_elsewhere(boot: str, fetch: Fetch) -> bool:
    from quarterdeck.media.remote import find_entry

    return is_url(boot) or ("/" not in boot and (await find_entry(boot, fetch))[1] is not None)
