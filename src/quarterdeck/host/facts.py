"""HostFacts: what a host offers to a machine, as a frozen value.

A value, so that the resolver can also serve hosts we do not stand on, and every golden test.
``probe.py`` fills it for this host; ``doctor.py`` has the wider view for people.
"""

from __future__ import annotations

from dataclasses import dataclass

from quarterdeck.core.arch import FirmwareFile
from quarterdeck.core.process import Identity


@dataclass(frozen=True)
class QemuFacts:
    """One system emulator: absolute path, version as (major, minor, micro), and its device models' names."""

    path: str
    version: tuple[int, int, int]
    devices: frozenset[str] = frozenset()


@dataclass(frozen=True)
class KvmFacts:
    """Whether KVM was *proved* to run guests of the wanted architecture, and why or why not in one line."""

    proved: bool
    reason: str
    hint: str = ""


@dataclass(frozen=True)
class Verdict:
    """Whether something works here, why or why not in one line, and what would make it work."""

    works: bool
    reason: str
    hint: str = ""


UNASKED = Verdict(False, "nobody asked")


@dataclass(frozen=True, kw_only=True)
class NetworkFacts:
    """What this network namespace offers to networks of machines.

    ``container`` names the manager of the container that we are in, empty outside; ``shared`` says that the namespace is the host's own.
    ``tap`` and ``macvtap`` say whether such devices can be made, ``passt`` whether it was proved to run as QEMU's user. ``forwarding4``
    and ``forwarding6`` say whether packets are passed on, or that can be switched on. ``uplink`` is the device of the default route and
    ``mtu`` its MTU in bytes (0: none); ``routes`` are the IPv4 networks that are routed, each with its device,
    ``ipv6`` whether the namespace has IPv6 addresses that lead out. ``lowest_port`` is the lowest one that QEMU and its
    helpers may listen on, ``vhost`` whether the kernel carries packets of tap devices (``/dev/vhost-net``).
    """

    container: str = ""
    shared: bool = True
    tap: Verdict = UNASKED
    macvtap: Verdict = UNASKED
    passt: Verdict = UNASKED
    forwarding4: Verdict = UNASKED
    forwarding6: Verdict = UNASKED
    uplink: str = ""
    mtu: int = 0
    routes: tuple[tuple[str, str], ...] = ()
    ipv6: bool = False
    lowest_port: int = 0
    vhost: bool = False


@dataclass(frozen=True)
class RenderNode:
    """A GPU's device file. ``problem`` says why QEMU's user cannot open it, ``group`` which group lets it in (0: none is needed)."""

    path: str
    problem: str | None = None
    group: int = 0


@dataclass(frozen=True, kw_only=True)
class HostFacts:
    """What the resolver needs to know of a host for a guest of one architecture.

    ``cpus`` and ``memory`` (bytes) are the most that cgroups and affinity leave to us; ``memory_available`` is
    what is free of that memory now, 0 when unknown. ``tools`` maps a helper's
    name (passt, swtpm, virtiofsd, qemu-bridge-helper) to its absolute path. ``identity`` is the unprivileged
    user that QEMU will run as when we are root, None when it runs as the caller; ``identity_reason`` says why.
    ``network`` is what networks of its own would find.
    """

    arch: str
    kernel: str
    cpus: int
    memory: int
    memory_available: int = 0
    qemu: QemuFacts
    kvm: KvmFacts
    firmware: tuple[FirmwareFile, ...] = ()
    tools: tuple[tuple[str, str], ...] = ()
    identity: Identity | None = None
    identity_reason: str = ""
    network: NetworkFacts = NetworkFacts()
    render_nodes: tuple[RenderNode, ...] = ()

    def tool(self, name: str) -> str | None:
        """Return the absolute path of helper ``name``, or None when it is not installed."""
        return dict(self.tools).get(name)
