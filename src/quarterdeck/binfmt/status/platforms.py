"""What an image build would find: which platforms' programs run in an empty root folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from quarterdeck.binfmt.kernel.instance import Instance, Kind
from quarterdeck.binfmt.status.model import EntryStatus, Platform, Runs
from quarterdeck.core.arch import ARCHES, Arch, runs_natively


def platforms(instance: Instance, entries: Sequence[EntryStatus], *, host: Arch, proved: Mapping[str, str] | None = None) -> list[Platform]:
    """Return one answer for each architecture that has an OCI platform.

    Args:
        instance: whose entries these are.
        entries: what is registered.
        host: the architecture that we run on.
        proved: for architectures (by name) whose programs were tried, why they do not run, empty when they do; they have the last word.
    """
    told = proved or {}
    return [_platform(arch, instance, entries, host, told) for arch in ARCHES if arch.oci]


def _platform(arch: Arch, instance: Instance, entries: Sequence[EntryStatus], host: Arch, told: Mapping[str, str]) -> Platform:
    first = next((one for one in entries if one.first and one.arch == arch), None)
    native = runs_natively(arch, host) and first is None
    runs = Runs.NATIVE if native else Runs.EMULATED
    reason = told[arch.name] if arch.name in told else ("" if native else _obstacle(arch, instance, first))
    return Platform(arch.oci, arch, Runs.NO if reason else runs, arch.name in told, reason)


def _obstacle(arch: Arch, instance: Instance, first: EntryStatus | None) -> str:
    if instance.kind is Kind.ABSENT:
        return "binfmt_misc is not mounted here, so its entries cannot be seen"
    if not instance.enabled:
        return "binfmt_misc is switched off"
    if first is None:
        return f"no emulator of {arch.name} is registered and switched on"
    if "F" not in first.entry.flags:
        return f"{first.entry.name} has no flag F, so its interpreter is not found in another root folder"
    if first.static is False:
        return f"{first.entry.interpreter} is not static, so its libraries are not found in another root folder"
    return ""
