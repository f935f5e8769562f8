"""Decides whether the guest's graphics are drawn by a GPU of the host, and by which."""

from __future__ import annotations

from dataclasses import replace

from quarterdeck.core.process import Identity
from quarterdeck.errors import HostError, UsageError
from quarterdeck.host.facts import RenderNode
from quarterdeck.machine.resolve.context import Context

_MODULES = "apt install qemu-system-modules-opengl, or qemu-system-gui on Debian 12"
_GIVE = "give the container the device: docker run --device /dev/dri/renderD128"


def gpu(ctx: Context) -> RenderNode | None:
    """Return the render node that draws, None where the guest's processor does.

    Raises:
        HostError: there is none that can be used, or QEMU's modules for it are not installed.
        UsageError: the machine type cannot have such a screen.
    """
    wanted = ctx.spec.display.gpu
    if not wanted:
        return None
    device = screen(ctx)
    if not ctx.has(device):
        reason = f"it has no {device}"
        raise HostError("gpu-module-missing", "this QEMU cannot draw by a GPU", reason=reason, hint=_MODULES)
    node = _choose(ctx, wanted)
    ctx.note("GPU", node.path, "the spec names it" if isinstance(wanted, str) else "the first one that QEMU's user can open")
    return node


def screen(ctx: Context) -> str:
    """Return the screen whose guest driver speaks OpenGL. Source: QEMU docs/system/devices/virtio-gpu.rst."""
    if not ctx.board.pci or not ctx.board.screen:
        raise UsageError("no-gpu", f"machine type '{ctx.machine_type}' has no screen that a GPU could draw", hint="remove 'display.gpu'")
    return "virtio-vga-gl" if ctx.board.isa else "virtio-gpu-gl-pci"


def identity(ctx: Context, node: RenderNode | None) -> Identity | None:
    """Return QEMU's user, who joins the group of the render node where that is what lets it in."""
    user = ctx.facts.identity
    if user is None or node is None or not node.group or node.group in user.groups:
        return user
    ctx.note("group", str(node.group), f"owns {node.path}, which QEMU opens")
    return replace(user, groups=(*user.groups, node.group))


def _choose(ctx: Context, wanted: bool | str) -> RenderNode:
    nodes = [node for node in ctx.facts.render_nodes if wanted in (True, node.path)]
    usable = [node for node in nodes if node.problem is None]
    if usable:
        return usable[0]
    if nodes:
        reason = f"{nodes[0].path}: {nodes[0].problem}"
        raise HostError(
            "gpu-closed", "the GPU cannot be used", reason=reason, hint="join the group that owns it; in a container: --group-add"
        )
    what = wanted if isinstance(wanted, str) else "/dev/dri/renderD*"
    raise HostError("gpu-missing", "there is no GPU here that could draw", reason=f"there is no {what}", hint=_GIVE)
