"""The machine itself: type, accelerator, CPUs, memory, clock, firmware and kernel."""

from __future__ import annotations

from quarterdeck.core.arch import FirmwareKind
from quarterdeck.machine.boards import Board, find_board
from quarterdeck.machine.devices.address import PANIC, address
from quarterdeck.machine.devices.part import Part, blockdev, device
from quarterdeck.machine.options import Value, comma_argument, comma_pairs, json_argument, plain
from quarterdeck.machine.resolved import Accelerator, ResolvedFirmware, ResolvedMachine
from quarterdeck.machine.spec import DisplayKind, NetworkMode, ShareKind

_MEMORY_ID = "memory"
_GIC_V2_CPUS = 8
"""CPUs that the ARM ``virt`` machine's default interrupt controller serves, QEMU ``hw/arm/virt.c``."""


def board_of(machine: ResolvedMachine) -> Board:
    """Return what the machine's type offers."""
    return find_board(machine.arch, machine.machine_type)


def identity(machine: ResolvedMachine) -> Part:
    """Return name, UUID, and the rules that QEMU lives by: no defaults, paused at first, sandboxed, panics are kept."""
    bridged = any(network.mode is NetworkMode.BRIDGE for network in machine.networks)
    # qemu-bridge-helper is set-uid root and has to be started.
    spawn = "allow" if bridged else "deny"
    sandbox = comma_argument("on", obsolete="deny", elevateprivileges=spawn, spawn=spawn, resourcecontrol="deny")
    return Part(
        (
            *("-name", comma_pairs("", {"guest": machine.name, "debug-threads": True})),
            *("-uuid", machine.uuid),
            "-nodefaults",
            "-no-user-config",
            "-S",
            *("-sandbox", sandbox),
            *("-action", "panic=pause"),
            *("-rtc", "base=utc"),
            *("-boot", "strict=on"),
        )
    )


def processor(machine: ResolvedMachine) -> Part:
    """Return machine type, accelerator, CPUs and memory."""
    shared = any(share.kind is ShareKind.VIRTIOFS for share in machine.shares)
    memory: tuple[str, ...] = ()
    if shared:
        backend = {"qom-type": "memory-backend-memfd", "id": _MEMORY_ID, "size": machine.memory, "share": True}
        memory = ("-object", json_argument(backend))
    return Part(
        (
            *memory,
            *("-machine", comma_pairs("", _machine_options(machine, shared=shared))),
            *("-accel", _accelerator(machine)),
            *("-cpu", plain(machine.cpu_model)),
            *("-smp", _processors(machine)),
            *("-m", f"size={machine.memory >> 20}M"),
        )
    )


def _processors(machine: ResolvedMachine) -> str:
    shape = machine.topology
    if shape is None:
        return f"cpus={machine.cpus}"
    # Machine types without dies refuse to be told of one.
    dies = f",dies={shape.dies}" if shape.dies > 1 else ""
    return f"cpus={machine.cpus},sockets={shape.sockets}{dies},cores={shape.cores},threads={shape.threads}"


def _accelerator(machine: ResolvedMachine) -> str:
    """CPUs take turns in one thread where this QEMU would corrupt a guest whose CPUs run side by side."""
    risky = machine.cpus > 1 and machine.qemu_version < machine.arch.parallel_tcg_since
    single = machine.accelerator is Accelerator.TCG and risky
    return f"{machine.accelerator},thread=single" if single else str(machine.accelerator)


def _machine_options(machine: ResolvedMachine, *, shared: bool) -> dict[str, Value]:
    kind, _, further = machine.machine_type.partition(",")
    options: dict[str, Value] = {"type": kind}
    options |= dict(_pair(item) for item in (*further.split(","), *machine.machine_options) if item)
    if machine.firmware is not None and machine.firmware.variables:
        options |= {"pflash0": "firmware", "pflash1": "variables"}
    if machine.firmware is not None and machine.firmware.kind is FirmwareKind.UEFI_SECURE and board_of(machine).smm:
        options |= {"smm": True}
    if shared:
        options |= {"memory-backend": _MEMORY_ID}
    return _quirks(machine) | options


def _pair(item: str) -> tuple[str, str]:
    key, equals, value = item.partition("=")
    return (key, value if equals else "on")


def _quirks(machine: ResolvedMachine) -> dict[str, Value]:
    """Return options that a machine type needs with this accelerator; options of the spec's ``machine_type`` win."""
    tcg = machine.accelerator is Accelerator.TCG
    match machine.arch.name, board_of(machine).types[:1]:
        case "aarch64", ("virt",):
            return {"gic-version": "3" if tcg else "host"}
        case "arm", ("virt",) if machine.cpus > _GIC_V2_CPUS:
            return {"gic-version": "3"}
        case _, ("pseries",) if tcg:
            # TCG has none of these mitigations, and pseries warns about each.
            return {"cap-cfpc": "broken", "cap-sbbc": "broken", "cap-ibs": "broken", "cap-ccf-assist": False}
    return {}


def firmware(machine: ResolvedMachine) -> Part:
    """Return the firmware's flash or image; nothing where QEMU brings its own."""
    found = machine.firmware
    if found is None:
        return Part()
    if not found.variables:
        return Part(("-bios", plain(found.code)))
    return Part(
        (
            *_flash("firmware", found.code, read_only=True),
            *_flash("variables", found.variables, read_only=False),
            *_secure(machine, found),
        )
    )


def _flash(node: str, path: str, *, read_only: bool) -> tuple[str, str]:
    return blockdev({"node-name": node, "driver": "raw", "read-only": read_only, "file": {"driver": "file", "filename": path}})


def _secure(machine: ResolvedMachine, found: ResolvedFirmware) -> tuple[str, ...]:
    """Only code in system management mode may write the variables; S3 would leave that mode open (OVMF README, SMM)."""
    if found.kind is not FirmwareKind.UEFI_SECURE or not board_of(machine).smm:
        return ()
    return (
        *("-global", "driver=cfi.pflash01,property=secure,value=on"),
        *("-global", "driver=ICH9-LPC,property=disable_s3,value=1"),
    )


def kernel(machine: ResolvedMachine) -> Part:
    """Return the kernel that QEMU loads itself, told to use every console that there is; the last one named is ``/dev/console``."""
    boot = machine.kernel
    if boot is None:
        return Part()
    consoles = []
    if machine.display.kind is not DisplayKind.NONE:
        consoles.append("console=tty0")
    if machine.serial and machine.arch.serial_console:
        consoles.append(f"console={machine.arch.serial_console}")
    line = " ".join([boot.cmdline, *consoles]).strip()
    initrd = ("-initrd", plain(boot.initrd)) if boot.initrd else ()
    return Part(("-kernel", plain(boot.kernel), *initrd, "-append", plain(line)))


def panic(machine: ResolvedMachine) -> Part:
    """Return the device that turns a guest's panic into the event GUEST_PANICKED (QEMU ``docs/specs/pvpanic``)."""
    if not machine.panic_device:
        return Part()
    place = address(board_of(machine), PANIC) if machine.panic_device.endswith("-pci") else {}
    return Part(device({"driver": machine.panic_device, "id": "panic0", **place}))
