"""From a stored spec to a running QEMU whose guest has not begun yet."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass
from pathlib import Path

from quarterdeck.core.arch import find_arch, host_arch
from quarterdeck.core.handle import ProcessHandle
from quarterdeck.core.process import Identity, spawn
from quarterdeck.core.report import Level, Message, Reporter, Step, StepStatus, silent
from quarterdeck.core.url import is_url
from quarterdeck.errors import HostError
from quarterdeck.host.probe import probe
from quarterdeck.machine.assets import LocalAssets
from quarterdeck.machine.compose import compose
from quarterdeck.machine.layout import MachineLayout
from quarterdeck.machine.resolve import resolve
from quarterdeck.machine.resolved import Descriptor, QemuCommand, ResolvedMachine
from quarterdeck.machine.spec import Accel, MachineSpec, NetworkMode
from quarterdeck.runtime import assets, blockdevice, network, sidecars
from quarterdeck.runtime.instance import Instance, end, remove_sockets, stop_helpers
from quarterdeck.runtime.logs import open_fresh
from quarterdeck.runtime.prepare import prepare
from quarterdeck.runtime.qmp import Qmp

Register = Callable[[str, ProcessHandle], None]
"""Writes a started process down, by name (``qemu`` or a helper's), before anything else happens."""


@dataclass(frozen=True)
class Plan:
    """What is to be started: the machine with every decision made, its command, the files it stands on, and the guest's login."""

    resolved: ResolvedMachine
    command: QemuCommand
    assets: LocalAssets
    login: str


async def plan(layout: MachineLayout, spec: MachineSpec, report: Reporter) -> Plan:
    """Probe the host, find the images and decide everything. Writes nothing but shared images.

    Raises:
        QuarterdeckError: of any kind; nothing needs to be undone.
    """
    arch = find_arch(spec.arch) if spec.arch else host_arch()
    report(Step("host", StepStatus.RUNNING))
    chosen = any(card.mode is NetworkMode.AUTO for card in spec.networks)
    facts = await probe(arch, accel=spec.accel is not Accel.TCG, passt=chosen, machine=layout.root.name, taken=taken_users(layout))
    report(Step("host", StepStatus.DONE, f"QEMU {'.'.join(map(str, facts.qemu.version))}, {facts.kvm.reason}"))
    if spec.boot and not spec.boot.startswith("/") and not is_url(spec.boot) and assets.pinned(layout) is None:
        # What this host cannot do with a system of the catalogue is said before minutes go into fetching or making it.
        resolve(spec, facts, await assets.describe(spec, arch, silent), layout)
    found = await assets.find(spec, arch, layout, report)
    resolved = resolve(spec, facts, found, layout)
    if chosen and facts.network.container:
        _say_networks(resolved, report)
    return Plan(resolved, compose(resolved), found, spec.provision.user or found.login)


def _say_networks(resolved: ResolvedMachine, report: Reporter) -> None:
    """Who gives privileges to a container learns from its log which network they made, and what would make it better."""
    for choice in resolved.choices:
        if choice.what.startswith("network"):
            report(Message(Level.INFO, f"{choice.what}: {choice.value}: {choice.why}"))


async def make_ready(planned: Plan, spec: MachineSpec, report: Reporter) -> None:
    """Make disks and all else that QEMU will open, and pin the images that they stand on. Raises: as :func:`prepare`."""
    await prepare(planned.resolved, spec, planned.login, report)
    assets.pin(planned.resolved.layout, planned.assets)


def taken_users(layout: MachineLayout) -> Collection[int]:
    """Return the users that own the folders of other machines."""
    users = set()
    for folder in layout.root.parent.glob("*/vm"):
        if folder.parent != layout.root:
            users.add(folder.stat().st_uid)
    return users - {0}


async def launch(planned: Plan, register: Register) -> Instance:
    """Start the helpers and QEMU, paused, and connect to it. On failure nothing of it is left.

    Raises:
        QemuError: QEMU or a helper ended at once; with the end of its log.
        HostError: something is not installed, or a file cannot be opened.
    """
    resolved, command = planned.resolved, planned.command
    layout = resolved.layout
    remove_sockets(layout)
    async with AsyncExitStack() as undo:
        undo.callback(remove_sockets, layout)
        devices = await network.set_up(resolved)
        undo.push_async_callback(network.tear_down, layout)
        undo.enter_context(closing := ExitStack())
        closing.enter_context(network.closing(devices))
        helpers: list[tuple[str, ProcessHandle]] = []
        for sidecar in command.sidecars:
            helper = sidecars.start(layout, sidecar, resolved.identity)
            undo.push_async_callback(stop_helpers, [helper])
            register(sidecar.name, helper)
            helpers.append((sidecar.name, helper))
            await sidecars.wait_ready(layout, sidecar, helper)
        qemu = start_qemu(layout, command, resolved.identity, devices=devices)
        closing.close()
        undo.push_async_callback(end, qemu, grace=0)
        register("qemu", qemu)
        qmp = await Qmp.connect(layout.socket("qmp"), qemu, layout.qemu_log)
        undo.pop_all()
    return Instance(layout, qemu, qmp, tuple(helpers), dict(command.sockets), taps(resolved))


def taps(resolved: ResolvedMachine) -> tuple[str, ...]:
    """Return the host's network devices that belong to this machine alone."""
    return tuple(card.link or card.interface for card in resolved.networks if card.mode in {NetworkMode.TAP, NetworkMode.MACVTAP})


def start_qemu(
    layout: MachineLayout, command: QemuCommand, identity: Identity | None, *, devices: Mapping[str, int] | None = None
) -> ProcessHandle:
    """Start QEMU in a session of its own, its output in qemu.log, with the descriptors that it needs.

    ``devices`` are open network devices by the words that stand for them in the command.

    Raises:
        HostError: QEMU is not installed, or a file cannot be opened.
    """
    os.close(open_fresh(layout.serial_log, identity))
    with ExitStack() as stack:
        log = open_fresh(layout.qemu_log, identity)
        stack.callback(os.close, log)
        numbers = {item.number: _open(item, stack) for item in command.descriptors}
        previous = os.umask(0o077)  # QEMU creates sockets and screenshots with it
        stack.callback(os.umask, previous)
        argv = with_devices(with_descriptors(command.argv, numbers), devices or {})
        passed = (*numbers.values(), *(devices or {}).values())
        return spawn(argv, log=log, cwd=layout.vm, pass_fds=passed, identity=identity)


def with_descriptors(argv: Sequence[str], numbers: dict[int, int]) -> list[str]:
    """Return ``argv`` with the open descriptors as QEMU's fd sets: set number to descriptor.

    They stand first, since QEMU opens files in the order of its arguments.
    """
    sets = [word for number, handle in numbers.items() for word in ("-add-fd", f"fd={handle},set={number}")]
    return [argv[0], *sets, *argv[1:]]


def with_devices(argv: Sequence[str], devices: Mapping[str, int]) -> list[str]:
    """Return ``argv`` with the numbers of open network devices in place of the words that stand for them."""
    words = list(argv)
    for place, handle in devices.items():
        words = [word.replace(f'"{place}"', f'"{handle}"') for word in words]
    return words


def _open(item: Descriptor, stack: ExitStack) -> int:
    flags = (os.O_RDWR if item.writable else os.O_RDONLY) | os.O_CLOEXEC | (os.O_EXCL if item.exclusive else 0)
    try:
        handle = os.open(item.path, flags)
    except OSError as error:
        if item.exclusive and error.errno == errno.EBUSY:
            raise blockdevice.in_use(item.path) from None
        name = Path(item.path)
        raise HostError("file-not-opened", f"{name} cannot be opened", reason=error.strerror or "") from error
    stack.callback(os.close, handle)
    return handle
