"""Decides what executes the guest: accelerator, CPU model, number of CPUs, memory."""

from __future__ import annotations

from dataclasses import fields

from quarterdeck.core.size import format_size
from quarterdeck.errors import HostError, UsageError
from quarterdeck.machine.resolve.context import Context
from quarterdeck.machine.resolved import Accelerator
from quarterdeck.machine.spec import Accel, MachineSpec

_DEFAULTS = {item.name: item.default for item in fields(MachineSpec)}
_RESERVE = 512 << 20
"""Memory that ``max`` leaves to the host and to QEMU itself, at least; else a tenth."""


def accelerator(ctx: Context) -> Accelerator:
    """Return KVM where it was proved, else TCG.

    Raises:
        HostError: the spec demands KVM and it was not proved.
    """
    kvm = ctx.facts.kvm
    match ctx.spec.accel:
        case Accel.TCG:
            ctx.note("accelerator", "tcg", "the spec asks for it")
            return Accelerator.TCG
        case Accel.KVM if not kvm.proved:
            raise HostError("kvm-unusable", "the spec demands KVM, and it does not work here", reason=kvm.reason, hint=kvm.hint)
    if kvm.proved:
        ctx.note("accelerator", "kvm", kvm.reason)
        return Accelerator.KVM
    ctx.note("accelerator", "tcg", f"no KVM: {kvm.reason}")
    return Accelerator.TCG


def cpu_model(ctx: Context, accel: Accelerator) -> str:
    """Return the value of ``-cpu``.

    Raises:
        UsageError: the host's own model is wanted without KVM.
    """
    return ",".join((_cpu_model(ctx, accel), *ctx.spec.cpu_flags))


def _cpu_model(ctx: Context, accel: Accelerator) -> str:
    wanted = ctx.spec.cpu_model
    if wanted is not None:
        if wanted.partition(",")[0] == "host" and accel is not Accelerator.KVM:
            raise UsageError(
                "cpu-needs-kvm", "the CPU model 'host' needs KVM", hint="remove 'cpu_model': the fullest emulated model is the default"
            )
        ctx.note("CPU model", wanted, "the spec names it")
        return wanted
    if accel is Accelerator.KVM:
        ctx.note("CPU model", "host", "with KVM the guest sees this host's processor")
        return "host"
    ctx.note("CPU model", ctx.arch.tcg_cpu, f"the fullest that emulation offers for {ctx.arch.name}")
    return ctx.arch.tcg_cpu


def cpus(ctx: Context, accel: Accelerator) -> int:
    """Return the number of virtual CPUs.

    Raises:
        UsageError: the machine type has fewer than asked for.
    """
    count, why = _cpus(ctx)
    limit = ctx.board.max_cpus
    if limit and count > limit:
        if isinstance(ctx.spec.cpus, int) and ctx.spec.cpus != _DEFAULTS["cpus"]:
            raise UsageError("too-many-cpus", f"machine type '{ctx.machine_type}' has at most {limit} CPUs", hint=f"set cpus: {limit}")
        count, why = limit, f"machine type '{ctx.machine_type}' has no more"
    if accel is Accelerator.TCG and count > 1 and ctx.facts.qemu.version < ctx.arch.parallel_tcg_since:
        why += f"; they take turns, since QEMU {'.'.join(map(str, ctx.facts.qemu.version))} cannot safely emulate them side by side"
    ctx.note("CPUs", str(count), why)
    return count


def _cpus(ctx: Context) -> tuple[int, str]:
    here, wanted = ctx.facts.cpus, ctx.spec.cpus
    match wanted:
        case "max":
            return here, f"all {here} that this host leaves to us"
        case "half":
            return max(1, here // 2), f"half of the {here} that this host leaves to us"
    if wanted > here:
        return wanted, f"more than the {here} that this host leaves to us: they will share them and be slower"
    return wanted, "the default" if wanted == _DEFAULTS["cpus"] else "the spec asks for it"


def memory(ctx: Context) -> int:
    """Return the guest's memory in bytes, a multiple of what the machine type can have.

    Raises:
        HostError: this host has less than asked for.
        UsageError: the machine type cannot have so much.
    """
    size, why = _memory(ctx)
    if size < ctx.board.min_memory:
        least = -(-ctx.board.min_memory >> 20)
        raise UsageError("too-little-memory", f"machine type '{ctx.machine_type}' needs more memory", hint=f"set memory: {least}M or more")
    limit, step = ctx.board.max_memory, ctx.board.memory_step
    if limit and size > limit:
        if isinstance(ctx.spec.memory, int) and ctx.spec.memory != _DEFAULTS["memory"]:
            text = format_size(limit)
            raise UsageError(
                "too-much-memory", f"machine type '{ctx.machine_type}' has at most {text} of memory", hint=f"set memory: {limit >> 20}M"
            )
        size, why = limit, f"machine type '{ctx.machine_type}' has no more"
    rounded = _round(size, step, up=isinstance(ctx.spec.memory, int))
    if rounded != size and step > 1 << 20:
        why += f"; rounded to a multiple of {format_size(step)}, which '{ctx.machine_type}' needs"
    ctx.note("memory", format_size(rounded), why)
    return rounded


def _round(size: int, step: int, *, up: bool) -> int:
    return max(step, -(-size // step) * step if up else size // step * step)


def _memory(ctx: Context) -> tuple[int, str]:
    here, free, wanted, least = ctx.facts.memory, ctx.facts.memory_available, ctx.spec.memory, ctx.assets.least_memory
    if wanted == _DEFAULTS["memory"] and least > _DEFAULTS["memory"]:
        wanted = least
    match wanted:
        case "max":
            reserve = max(_RESERVE, here // 10)
            return max(here // 2, (free or here) - reserve), f"all that is free but {format_size(reserve)} for the host and QEMU"
        case "half":
            return here // 2, f"half of the {format_size(here)} that this host leaves to us"
    if wanted > here:
        raise HostError(
            "not-enough-memory",
            f"the machine wants {format_size(wanted)} of memory",
            reason=f"this host leaves {format_size(here)} to us",
            hint="set memory to less, or to 'half' or 'max'",
        )
    if free and wanted > free:
        return wanted, f"more than the {format_size(free)} that are free now: the host may run out of memory"
    if wanted < least:
        return wanted, f"the spec asks for it, though the system in the image needs {format_size(least)}"
    if wanted == ctx.spec.memory:
        return wanted, "the default" if wanted == _DEFAULTS["memory"] else "the spec asks for it"
    return wanted, "the system in the image needs it"
