"""Decides what boots: UEFI, BIOS or the machine's own firmware, or a kernel that QEMU loads itself."""

from __future__ import annotations

from quarterdeck.core.arch import FirmwareFile, FirmwareKind
from quarterdeck.core.images import KernelBoot
from quarterdeck.errors import HostError, UsageError
from quarterdeck.machine.resolve.context import Context
from quarterdeck.machine.resolved import ResolvedFirmware
from quarterdeck.machine.spec import Firmware

Boot = tuple[ResolvedFirmware | None, KernelBoot | None]


def boot(ctx: Context) -> Boot:
    """Return the firmware (None: QEMU's built-in one) and the kernel that QEMU loads (None: the firmware finds one).

    Raises:
        HostError: the firmware is not installed; the hint names the Debian package.
        UsageError: this architecture or machine type has no such firmware.
    """
    if ctx.spec.firmware_image is not None:
        ctx.note("firmware", ctx.spec.firmware_image, "the spec names the file")
        return ResolvedFirmware(FirmwareKind.BIOS, ctx.spec.firmware_image, "", ""), None
    match ctx.spec.firmware:
        case Firmware.UEFI:
            return _demanded(ctx, FirmwareKind.UEFI), None
        case Firmware.UEFI_SECURE:
            _check_signed(ctx)
            return _demanded(ctx, FirmwareKind.UEFI_SECURE), None
        case Firmware.BIOS:
            _note_built_in(ctx, "the spec asks for it")
            return None, _kernel_for_bios(ctx)
        case Firmware.AUTO:
            return _automatic(ctx)


def _check_signed(ctx: Context) -> None:
    """Images that come with their kernel are those that Quarterdeck made; their loader bears nobody's signature."""
    if ctx.assets.kernel is not None:
        raise UsageError(
            "not-signed",
            "this image does not boot with Secure Boot",
            reason="its boot loader is not signed",
            hint="use firmware: uefi, or a disk or installer whose loader is signed",
        )


def _kernel_for_bios(ctx: Context) -> KernelBoot | None:
    """Return the image's kernel where its disk has no boot sector that a BIOS could start."""
    if ctx.assets.kernel is None or ctx.assets.bios is not False:
        return None
    ctx.note("kernel", "the image's own", "QEMU loads it itself, since the disk does not boot under BIOS")
    return ctx.assets.kernel


def _automatic(ctx: Context) -> Boot:
    assets, uefi = ctx.assets, _installed(ctx, FirmwareKind.UEFI)
    only_kernel = assets.kernel is not None and assets.boot_disk is None and assets.boot_iso is None
    prefers_bios = assets.uefi is None and assets.bios is True and _has_built_in(ctx)
    if uefi is not None and assets.uefi is not False and not only_kernel and not prefers_bios:
        why = "the disk boots under UEFI" if assets.uefi else "works with every current system, and nothing says otherwise"
        ctx.note("firmware", "uefi", why)
        return _pair(ctx, uefi), None
    if assets.kernel is not None and not (assets.bios and _has_built_in(ctx)):
        ctx.note("firmware", "none", f"QEMU loads the image's kernel itself: {_why_kernel(ctx, only_kernel)}")
        return None, assets.kernel
    if _has_built_in(ctx) and assets.bios is not False:
        _note_built_in(ctx, _why_built_in(ctx))
        return None, None
    if assets.uefi is False and assets.bios is False:
        raise UsageError("not-bootable", "the image has nothing to boot", reason="neither UEFI nor BIOS finds a boot loader on it")
    raise _missing(ctx, FirmwareKind.UEFI)


def _why_kernel(ctx: Context, only_kernel: bool) -> str:
    if only_kernel:
        return "there is nothing else to boot"
    return "its disk does not boot under UEFI" if ctx.assets.uefi is False else f"no firmware for {ctx.arch.name} is installed"


def _why_built_in(ctx: Context) -> str:
    if not _table(ctx, FirmwareKind.UEFI):
        return f"QEMU's own firmware is what {ctx.arch.name} has"
    if ctx.assets.bios:
        return "the disk boots under BIOS"
    package = _table(ctx, FirmwareKind.UEFI)[0].package
    return f"UEFI is not installed (package {package})" if ctx.assets.uefi is not False else "the disk does not boot under UEFI"


def _demanded(ctx: Context, kind: FirmwareKind) -> ResolvedFirmware:
    if not ctx.board.pflash and ctx.board.known:
        raise UsageError(
            "no-such-firmware", f"machine type '{ctx.machine_type}' has no {kind}", hint="remove 'firmware' to let it be chosen"
        )
    if not _table(ctx, kind):
        raise UsageError("no-such-firmware", f"there is no {kind} for {ctx.arch.name}", hint="remove 'firmware' to let it be chosen")
    if kind is FirmwareKind.UEFI_SECURE and _is_x86(ctx) and not ctx.board.smm:
        raise UsageError(
            "no-such-firmware", f"machine type '{ctx.machine_type}' cannot protect UEFI's variables", hint="use machine_type: q35"
        )
    found = _installed(ctx, kind)
    if found is None:
        raise _missing(ctx, kind)
    ctx.note("firmware", kind, "the spec asks for it")
    return _pair(ctx, found)


def _note_built_in(ctx: Context, why: str) -> None:
    if not _has_built_in(ctx):
        raise UsageError("no-such-firmware", f"{ctx.arch.name} has no BIOS", hint="use firmware: uefi")
    ctx.note("firmware", "bios" if _is_x86(ctx) else "built-in", why)


def _has_built_in(ctx: Context) -> bool:
    """Whether QEMU brings a firmware that finds a boot loader: SeaBIOS, SLOF, s390-ccw, OpenBIOS; not on machines made for UEFI."""
    return _is_x86(ctx) or not _table(ctx, FirmwareKind.UEFI)


def _is_x86(ctx: Context) -> bool:
    return bool(_table(ctx, FirmwareKind.BIOS))


def _table(ctx: Context, kind: FirmwareKind) -> list[FirmwareFile]:
    return [item for item in ctx.arch.firmware if item.kind is kind]


def _installed(ctx: Context, kind: FirmwareKind) -> FirmwareFile | None:
    usable = ctx.board.pflash or not ctx.board.known
    return next((item for item in ctx.facts.firmware if item.kind is kind and usable), None)


def _pair(ctx: Context, found: FirmwareFile) -> ResolvedFirmware:
    if not found.variables:
        return ResolvedFirmware(found.kind, found.code, "", "")
    own = str(ctx.layout.firmware_variables)
    return ResolvedFirmware(found.kind, found.code, found.variables, own, ctx.spec.firmware_variables or "")


def _missing(ctx: Context, kind: FirmwareKind) -> HostError:
    package = _table(ctx, kind)[0].package
    return HostError(
        "firmware-missing",
        f"the {kind} firmware for {ctx.arch.name} is not installed",
        reason=f"{_table(ctx, kind)[0].code} is not there",
        hint=f"apt install {package}",
    )
