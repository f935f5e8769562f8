"""Decides the screen, TPM, USB devices, shared folders and the small virtio devices."""

from __future__ import annotations

import os.path
from dataclasses import replace

from quarterdeck.errors import HostError, UsageError
from quarterdeck.host.facts import RenderNode
from quarterdeck.machine.resolve.context import Context
from quarterdeck.machine.resolve.gpu import screen
from quarterdeck.machine.resolved import ResolvedDisplay, ResolvedShare, ResolvedUsb
from quarterdeck.machine.spec import DisplayKind, DisplaySpec, ShareKind, ShareSpec
from quarterdeck.machine.virtiofsd import LEGACY


def display(ctx: Context, node: RenderNode | None = None) -> ResolvedDisplay:
    """Return the screen; ``node`` is the GPU that draws it.

    Raises:
        UsageError: this QEMU has no such graphics device.
    """
    wanted = ctx.spec.display
    if wanted.kind is DisplayKind.NONE:
        ctx.note("display", "none", "the spec asks for no screen")
        return ResolvedDisplay(DisplayKind.NONE, "")
    device = screen(ctx) if node else wanted.device or _default_screen(ctx)
    if not device:
        ctx.note("display", "none", f"machine type '{ctx.machine_type}' has no graphics device to plug in; use the serial console")
        return ResolvedDisplay(DisplayKind.NONE, "")
    if not ctx.has(device):
        raise UsageError(
            "no-such-device", f"this QEMU has no graphics device '{device}'", hint="leave 'display.device' out, or install its module"
        )
    if wanted.kind is DisplayKind.SPICE and ctx.board.isa and not ctx.has("qxl"):
        # On a PC, QEMU's SPICE module brings this device; elsewhere nothing tells whether it is installed.
        hint = "apt install qemu-system-modules-spice, or qemu-system-gui on Debian 12"
        raise HostError("spice-missing", "this QEMU cannot serve SPICE", reason="its SPICE module is not installed", hint=hint)
    width, height = (int(part) for part in wanted.resolution.split("x")) if wanted.resolution else (0, 0)
    ctx.note(
        "display", f"{wanted.kind}, {device}", "the spec names it" if wanted.device else "firmware and system both show a console on it"
    )
    shown = ResolvedDisplay(wanted.kind, device, width, height, wanted.pointer, gpu=node.path if node else "")
    if wanted.kind is not DisplayKind.SPICE or wanted.spice_port is None:
        return shown
    ctx.note("SPICE", f"port {wanted.spice_port} on {wanted.spice_address}", _spice_way(wanted))
    address = wanted.spice_address.strip("[]")
    return replace(shown, address=address, port=wanted.spice_port, tls=wanted.spice_tls or "")


def _spice_way(wanted: DisplaySpec) -> str:
    how = "TLS and one-time passwords" if wanted.spice_tls else "one-time passwords, but what is shown and typed can be read on the way"
    # Docker's own proxy and pasta copy each byte once more in user space; host networking and runs outside containers do not.
    return f"{how}; in a container each frame also passes the engine's NAT or proxy, which the host's network or a run outside avoids"


def _default_screen(ctx: Context) -> str:
    if not ctx.board.screen:
        return ""
    if not ctx.board.pci:
        device = ctx.virtio("virtio-gpu")
        return device if ctx.arch.display_device and ctx.has(device) else ""
    return ctx.arch.display_device if ctx.has(ctx.arch.display_device) else ""


def small_device(ctx: Context, what: str, wanted: bool, device: str) -> bool:
    """Return whether ``what`` is plugged in: when it is wanted and this machine can have it."""
    if not wanted:
        return False
    if not ctx.board.disks or not ctx.has(device):
        ctx.note(what, "no", f"machine type '{ctx.machine_type}' or this QEMU has no {device}")
        return False
    return True


def panic_device(ctx: Context) -> str:
    """Return the device by which the guest's kernel says that it panicked, or an empty text."""
    if ctx.board.isa and ctx.has("pvpanic"):
        return "pvpanic"
    return "pvpanic-pci" if ctx.board.pci and ctx.board.fixed_slots and ctx.has("pvpanic-pci") else ""


def tpm(ctx: Context) -> bool:
    """Return whether there is a TPM.

    Raises:
        HostError: swtpm is not installed.
        UsageError: the machine type has no TPM, or swtpm cannot be told its folder.
    """
    if not ctx.spec.tpm:
        return False
    device = ctx.board.tpm
    if not device or not ctx.has(device):
        raise UsageError("no-tpm", f"machine type '{ctx.machine_type}' of this QEMU has no TPM", hint="remove 'tpm'")
    if ctx.facts.tool("swtpm") is None:
        raise HostError("program-missing", "a TPM needs swtpm", reason="it is not installed", hint="apt install swtpm")
    if "," in str(ctx.layout.root):
        raise UsageError(
            "comma-in-path",
            f"swtpm cannot use the folder '{ctx.layout.root}'",
            reason="its name holds a comma",
            hint="set QUARTERDECK_HOME",
        )
    ctx.note("TPM", f"2.0, {device}", "swtpm plays it; its state is kept with the machine")
    return True


def usb(ctx: Context) -> tuple[ResolvedUsb, ...]:
    """Return the USB devices of the host that are handed over.

    Raises:
        UsageError: the machine or this QEMU has no USB.
    """
    if ctx.spec.usb and (not ctx.board.usb or not ctx.has("usb-host") or not ctx.has("qemu-xhci")):
        raise UsageError("no-usb", f"machine type '{ctx.machine_type}' of this QEMU takes no USB devices", hint="remove 'usb'")
    for item in ctx.spec.usb:
        identity = "" if item.vendor is None else f"{item.vendor:04x}:{item.product:04x}"
        place = "" if item.bus is None else f"port {item.bus}.{item.port}"
        why = "plugged in while QEMU runs, whenever the host has it; QEMU gets it opened and needs no rights on it"
        ctx.note(f"USB {' at '.join(part for part in (identity, place) if part)}", "given to the guest", why)
    return tuple(_usb(item.vendor, item.product, item.bus, item.port) for item in ctx.spec.usb)


def _usb(vendor: int | None, product: int | None, bus: int | None, port: str | None) -> ResolvedUsb:
    return ResolvedUsb(-1 if vendor is None else vendor, -1 if product is None else product, -1 if bus is None else bus, port or "")


def shares(ctx: Context) -> tuple[ResolvedShare, ...]:
    """Return the shared folders.

    Raises:
        HostError: virtiofs is demanded and cannot be had.
        UsageError: the path is not absolute, or virtiofs is to be read-only.
    """
    return tuple(_share(ctx, index, share) for index, share in enumerate(ctx.spec.shares))


def _share(ctx: Context, index: int, share: ShareSpec) -> ResolvedShare:
    if not os.path.isabs(share.path):
        raise UsageError(
            "relative-path", f"shares[{index}]: '{share.path}' is not an absolute path", hint="write it from the root, with a '/'"
        )
    problem = _virtiofs_problem(ctx, share)
    if share.kind is ShareKind.VIRTIOFS and problem:
        raise HostError("no-virtiofs", f"shares[{index}] cannot be a virtiofs", reason=problem, hint="use kind: 9p")
    kind = ShareKind.P9 if problem or share.kind is ShareKind.P9 else ShareKind.VIRTIOFS
    if kind is ShareKind.P9 and not ctx.has(ctx.virtio("virtio-9p")):
        raise HostError("no-9p", f"shares[{index}]: this QEMU has no 9p", reason=problem or "the spec asks for it")
    why = "the spec asks for it" if share.kind is kind else problem or "the faster of the two"
    ctx.note(f"share '{share.tag}'", str(kind), f"{why}; mount it with: mount -t {_mount(kind, share.tag)}")
    return ResolvedShare(f"share{index}", share.path, share.tag, kind, share.read_only)


def _mount(kind: ShareKind, tag: str) -> str:
    options = " -o trans=virtio,version=9p2000.L" if kind is ShareKind.P9 else ""
    return f"{kind}{options} {tag} /mnt"


def _virtiofs_problem(ctx: Context, share: ShareSpec) -> str:
    """Return why the folder cannot be a virtiofs, or an empty text."""
    program = ctx.facts.tool("virtiofsd")
    if program is None:
        return "virtiofsd is not installed"
    if not ctx.has(ctx.virtio("vhost-user-fs")):
        return "this machine has no device for it"
    if share.read_only:
        return "virtiofsd cannot keep the guest from writing, and the folder is to be read-only"
    if program == LEGACY and (share.kind is ShareKind.AUTO or ctx.facts.identity is not None):
        return "the virtiofsd of QEMU 7.2 must run as root"
    return ""
