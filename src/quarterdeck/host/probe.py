"""Fills HostFacts for the host that we stand on. Read-only, and quick: it runs before every machine."""

from __future__ import annotations

import os
import platform
from collections.abc import Collection

from quarterdeck.core.arch import Arch, FirmwareFile
from quarterdeck.host.facts import HostFacts, KvmFacts
from quarterdeck.host.gpu import render_nodes
from quarterdeck.host.identity import IdentityChoice, choose_identity
from quarterdeck.host.kvm import prove_kvm
from quarterdeck.host.network import network_facts
from quarterdeck.host.qemu import qemu_facts, require_qemu
from quarterdeck.host.resources import cpu_count, memory
from quarterdeck.host.tools import find_tools


async def probe(arch: Arch, *, accel: bool = True, passt: bool = True, machine: str = "", taken: Collection[int] = ()) -> HostFacts:
    """Return what this host offers to a guest of ``arch``.

    Args:
        arch: the guest's architecture.
        accel: whether to prove KVM; without it ``kvm`` is not proved.
        passt: whether to prove passt.
        machine: the machine's name, which decides the user that QEMU runs as when we are root; empty: the caller's user.
        taken: uids of other machines, not to be given again.

    Raises:
        UsageError: QEMU emulates no machine of ``arch``.
        HostError: QEMU for ``arch`` is not installed or does not start; the hint names the package.
    """
    qemu = await qemu_facts(require_qemu(arch))
    who = choose_identity(machine, taken) if machine else IdentityChoice(None, "")
    kvm = await prove_kvm(arch, qemu.path, who.identity) if accel else KvmFacts(False, "KVM was not asked for")
    amount = memory()
    return HostFacts(
        arch=arch.name,
        kernel=platform.release(),
        cpus=cpu_count(),
        memory=amount.total,
        memory_available=amount.available,
        qemu=qemu,
        kvm=kvm,
        firmware=installed_firmware(arch),
        tools=find_tools(),
        identity=who.identity,
        identity_reason=who.reason,
        render_nodes=render_nodes(who.identity),
        network=await network_facts(who.identity, passt=passt),
    )


def installed_firmware(arch: Arch) -> tuple[FirmwareFile, ...]:
    """Return the firmware of ``arch`` whose files, code and variables template, are there and readable; best first."""
    return tuple(pair for pair in arch.firmware if _readable(pair.code) and (not pair.variables or _readable(pair.variables)))


def _readable(path: str) -> bool:
    return os.path.isfile(path) and os.access(path, os.R_OK)
