"""Spec and facts to ResolvedMachine: every decision, each with its reason. Pure.

Each module decides one group of things and records a Choice for whatever a user may ask "why" about.
"""

from __future__ import annotations

from dataclasses import replace

from quarterdeck.core.arch import find_arch
from quarterdeck.errors import UsageError
from quarterdeck.host.facts import HostFacts
from quarterdeck.machine.assets import LocalAssets
from quarterdeck.machine.boards import find_board
from quarterdeck.machine.layout import SOCKET_PATH_MAX, MachineLayout
from quarterdeck.machine.resolve import balloon, firmware, gpu, network, peripherals, processor, provisioning, storage
from quarterdeck.machine.resolve.context import Context
from quarterdeck.machine.resolved import ResolvedMachine
from quarterdeck.machine.spec import MachineSpec

_LONGEST_ROLE = "share00"
"""Roles of sockets are short; the longest decides whether a folder is too deep."""


def resolve(spec: MachineSpec, facts: HostFacts, assets: LocalAssets, layout: MachineLayout) -> ResolvedMachine:
    """Return the machine that ``spec`` means on the host of ``facts``.

    Args:
        spec: what the user wants; fields that contradict each other were refused when it was loaded.
        facts: the host, probed for the spec's architecture.
        assets: the files that ``boot`` and ``image`` name.
        layout: where the machine's own files lie; its folder's name is the machine's default name.

    Raises:
        HostError: the host lacks something; the hint says how to get it.
        UsageError: the architecture or machine type cannot do what the spec wants.
    """
    ctx = _context(spec, facts, assets, layout)
    _check_socket_paths(layout)
    accelerator = processor.accelerator(ctx)
    cpu_model = processor.cpu_model(ctx, accelerator)
    cpus, memory = processor.cpus(ctx, accelerator), processor.memory(ctx)
    code, kernel = firmware.boot(ctx)
    seed, ignition = provisioning.needs_seed(ctx), provisioning.needs_ignition(ctx)
    node = gpu.gpu(ctx)
    disks, cdroms = storage.disks(ctx), storage.cdroms(ctx, seed)
    storage.check_ports(ctx, disks, cdroms)
    machine = ResolvedMachine(
        name=ctx.name,
        uuid=ctx.uuid,
        arch=ctx.arch,
        layout=layout,
        qemu=facts.qemu.path,
        qemu_version=facts.qemu.version,
        identity=gpu.identity(ctx, node),
        accelerator=accelerator,
        machine_type=ctx.machine_type,
        machine_options=spec.machine_options,
        cpu_model=cpu_model,
        cpus=cpus,
        topology=spec.topology,
        memory=memory,
        firmware=code,
        kernel=kernel,
        disks=disks,
        cdroms=cdroms,
        networks=network.networks(ctx),
        display=peripherals.display(ctx, node),
        serial=spec.serial,
        agent=peripherals.small_device(ctx, "guest agent", spec.agent, ctx.virtio("virtio-serial")),
        tpm=peripherals.tpm(ctx),
        tpm_state=spec.tpm_state or "",
        rng=peripherals.small_device(ctx, "random numbers", spec.rng, ctx.virtio("virtio-rng")),
        balloon=balloon.balloon(ctx, memory),
        panic_device=peripherals.panic_device(ctx),
        usb=peripherals.usb(ctx),
        shares=peripherals.shares(ctx),
        tools=facts.tools,
        qemu_args=spec.qemu_args,
        seed=seed,
        ignition=ignition,
        choices=(),
    )
    return replace(machine, choices=tuple(ctx.choices))


def _context(spec: MachineSpec, facts: HostFacts, assets: LocalAssets, layout: MachineLayout) -> Context:
    arch = find_arch(spec.arch or facts.arch)
    machine_type = spec.machine_type or arch.machine_type(facts.qemu.version)
    board = find_board(arch, machine_type)
    ctx = Context(spec, facts, assets, layout, arch, board, machine_type, spec.name or layout.root.name)
    ctx.note("architecture", arch.name, "the spec names it" if spec.arch else "this host's own")
    why = f"the usual one for {arch.name}" if spec.machine_type is None else "the spec names it"
    ctx.note("machine type", machine_type, why if board.known else f"{why}; not known here, so QEMU places its devices")
    if facts.identity is not None:
        ctx.note("user", str(facts.identity.uid), facts.identity_reason or "QEMU and its helpers run without the rights of root")
    return ctx


def _check_socket_paths(layout: MachineLayout) -> None:
    path = str(layout.socket(_LONGEST_ROLE))
    size = len(path.encode(errors="surrogateescape"))
    if size > SOCKET_PATH_MAX:
        raise UsageError(
            "path-too-long",
            f"the folder '{layout.root}' has too long a name for Unix sockets",
            reason=f"'{path}' has {size} bytes; the kernel takes {SOCKET_PATH_MAX}",
            hint="set QUARTERDECK_HOME to a shorter folder, or give the machine a shorter name",
        )
