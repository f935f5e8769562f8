"""Decides whether there is a balloon, and says whether the guest's memory follows the host's."""

from __future__ import annotations

from quarterdeck.core.size import format_size
from quarterdeck.machine.resolve.context import Context
from quarterdeck.machine.resolve.peripherals import small_device


def balloon(ctx: Context, memory: int) -> bool:
    """Return whether there is a balloon; ``memory`` is the machine's, in bytes."""
    there = small_device(ctx, "balloon", ctx.spec.balloon, ctx.virtio("virtio-balloon"))
    wanted = ctx.spec.ballooning
    if wanted is None:
        return there
    if not there:
        ctx.note("ballooning", "no", "the machine has no balloon")
        return False
    share = wanted.minimum if isinstance(wanted.minimum, str) else format_size(wanted.minimum)
    why = f"taken while more than {wanted.usage} % of the container's or host's memory is used, or {wanted.pressure} % of the time lost"
    ctx.note("ballooning", f"{share} to {format_size(memory)}", why)
    return True
