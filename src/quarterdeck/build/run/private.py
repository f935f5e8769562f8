"""Emulators of a build's own: a private binfmt_misc in a user namespace, and what it takes for an engine to build inside it.

Engines without a daemon only: what a daemon runs is outside. Sources: pkg/unshare of containers/storage (the variables by which
``buildah unshare`` tells programs that they are rootless already), buildah-build(1) (``BUILDAH_ISOLATION``).
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from quarterdeck.binfmt.change.install import wanted_of
from quarterdeck.binfmt.change.plan import Action, plan_install
from quarterdeck.binfmt.emulators.offer import Source, find_offer
from quarterdeck.binfmt.kernel.registration import Registration
from quarterdeck.binfmt.private.instance import Instance, open_instance
from quarterdeck.binfmt.programs.build import build, supported
from quarterdeck.binfmt.programs.probe import EXEC_STATUS, Probe
from quarterdeck.binfmt.selection import Selection, emulated
from quarterdeck.build.engines.engine import Endpoint
from quarterdeck.build.nodes.classify import with_variants
from quarterdeck.build.nodes.model import EngineName, NodeFacts, Runs
from quarterdeck.build.platform import Platform
from quarterdeck.build.run.order import BuildOrder
from quarterdeck.build.stages.model import StageGraph
from quarterdeck.core import paths, process
from quarterdeck.core.arch import Arch, host_arch
from quarterdeck.errors import HostError
from quarterdeck.host.distribution import install_hint

_PROOF_SECONDS = 30.0
_MFD_EXEC = 0x10
"""Asks for a file that may be executed, whatever vm.memfd_noexec says below 2; since Linux 6.3, memfd_create(2)."""
_ISOLATION = "BUILDAH_ISOLATION"
_REMOTE = ("CONTAINER_HOST", "CONTAINER_CONNECTION")
"""With one of these podman builds elsewhere."""
_HOST_NETWORK = frozenset({None, "", "default", "host"})


@dataclass(frozen=True)
class PrivateEmulators:
    """An open ``instance`` whose emulators of ``arches`` this host lacks; ``chroot`` says whether steps may have the host's network."""

    instance: Instance
    arches: tuple[Arch, ...]
    chroot: bool = True

    def needed_by(self, graph: StageGraph) -> bool:
        """Whether a build runs programs that only run inside."""
        return any(stage.runs and stage.platform.arch in self.arches for stage in graph.needed)

    def endpoint(self) -> Endpoint:
        """Return where engines build inside, with the user's own images.

        Root of a user namespace may set up a chroot anywhere, a container only where cgroups and programs for networks happen to
        allow it. A chroot has the host's network, and where the environment chooses it most buildahs pass over ``--network none``
        without a word (containers/buildah#6696).
        """
        # The word stands for the command that will follow.
        wrap = self.instance.argv(["true"], dies_with_us=False)[:-1]
        isolation = {_ISOLATION: "chroot"} if self.chroot and not os.environ.get(_ISOLATION) else {}
        return Endpoint(wrap=tuple(wrap), environment={**isolation, **_rootless()})


def with_emulated(facts: NodeFacts, arches: Sequence[Arch], how: str) -> NodeFacts:
    """Return the facts of a node with platforms that it emulates besides; ``how`` is how that is known."""
    found = with_variants({Platform.parse(arch.oci): (Runs.EMULATED, how) for arch in arches if arch.oci})
    new = {platform: one for platform, one in found.items() if platform not in facts.platforms}
    return replace(
        facts,
        platforms={**facts.platforms, **{platform: runs for platform, (runs, _) in new.items()}},
        reasons={**facts.reasons, **{platform: reason for platform, (_, reason) in new.items()}},
    )


def wants_network(order: BuildOrder) -> bool:
    """Whether a build or a step of it asks for another network than the host's."""
    flags = [flag for one in order.dockerfile.instructions if one.keyword == "RUN" for flag in one.flags if flag.name == "network"]
    extra = any(word.startswith("--network") and word != "--network=host" for word in order.extra)
    return extra or any(value not in _HOST_NETWORK for value in (order.network, *(flag.value for flag in flags)))


def private_engines(facts: NodeFacts) -> tuple[EngineName, ...]:
    """Return the engines of this host that can build inside a namespace of ours, the best first."""
    able = [EngineName.BUILDAH] if any(map(os.environ.get, _REMOTE)) else [EngineName.BUILDAH, EngineName.PODMAN]
    there = {engine.name for engine in facts.engines}
    return tuple(name for name in able if name in there)


@contextlib.contextmanager
def open_private(
    arches: Sequence[Arch], facts: NodeFacts, *, beside: Sequence[Arch] = (), order: BuildOrder | None = None
) -> Iterator[PrivateEmulators]:
    """Have emulators of ``arches`` for builds inside the ``with`` block; the host's registrations are neither used nor changed.

    Args:
        arches: what this host does not run.
        facts: of this host.
        beside: what it emulates by its own registrations, which builds inside may need too; left out where no emulator is found.
        order: what will be built inside, None for anything.

    Raises:
        HostError: no engine that can build so, an emulator is missing or does not work, or the kernel or the user's ids do not allow it.
        DeadlineError: the helper process does not answer.
    """
    wanted = order.engine if order is not None else None
    if not (able := private_engines(facts)) or wanted not in (None, *able):
        raise HostError(
            "no-engine-for-emulators",
            "a build can have emulators of its own only with buildah or podman on this host",
            reason="a Docker Engine runs programs outside, and a service of podman elsewhere",
            hint="leave out --engine" if able else install_hint("buildah"),
        )
    with open_instance(_registrations(arches, beside), root=True) as instance:
        for arch in arches:
            _prove(instance, arch)
        yield PrivateEmulators(instance, tuple(arches), chroot=order is None or not wants_network(order))


def _registrations(arches: Sequence[Arch], beside: Sequence[Arch]) -> tuple[Registration, ...]:
    named = frozenset(arch.name for arch in arches)
    selection = Selection(tuple(arch for arch in emulated() if arch in arches or arch in beside), named)
    offer = find_offer(selection, Source(copies=paths.cache() / "emulators"), write=True)
    host = host_arch()
    # It was tried that nothing but its own runs here, whatever processors of its sort usually do.
    plan = plan_install(wanted_of(selection, offer.emulators), [], host=host, native=frozenset({host.name}))
    for step in plan.steps:
        if step.action is Action.REFUSE and step.arch in arches:
            raise HostError("binfmt-refused", f"{step.name} is not registered", reason=step.reason, hint=step.hint)
    return plan.registrations


def _prove(instance: Instance, arch: Arch) -> None:
    """Run a program of ``arch`` inside, from memory: every folder may be mounted so that nothing in it can be executed.

    Raises:
        HostError: it does not run.
    """
    if Probe.EXEC not in supported(arch):
        return
    file = _executable(build(arch, Probe.EXEC))
    try:
        done = process.run(instance.argv([f"/proc/self/fd/{file}"]), check=False, timeout=_PROOF_SECONDS, pass_fds=(file,))
    finally:
        os.close(file)
    if done.returncode != EXEC_STATUS:
        said = done.stderr.decode(errors="replace").strip() or process.describe_status(done.returncode)
        raise HostError(
            "emulator-broken", f"the emulator of {arch.name} does not run its programs in a user namespace", reason=f"it was tried: {said}"
        )


def _executable(program: bytes) -> int:
    """Return a descriptor of ``program``, open for reading alone: what somebody may write to is not executed."""
    file = os.memfd_create("program", os.MFD_CLOEXEC | _MFD_EXEC)
    try:
        with open(file, "wb", closefd=False) as stream:
            stream.write(program)
        return os.open(f"/proc/self/fd/{file}", os.O_RDONLY | os.O_CLOEXEC)
    finally:
        os.close(file)


def _rootless() -> dict[str, str]:
    """Tell engines that an ordinary user is root already, and whose images are meant; root needs no such word."""
    if os.geteuid() == 0:
        return {}
    return {
        "_CONTAINERS_USERNS_CONFIGURED": "done",
        "_CONTAINERS_ROOTLESS_UID": str(os.geteuid()),
        "_CONTAINERS_ROOTLESS_GID": str(os.getegid()),
    }
