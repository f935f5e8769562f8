"""The QEMU of this host accepts the command of every spec: started paused, with real files and helpers, asked by QMP."""

import asyncio
import contextlib
import json
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from quarterdeck.core import process
from quarterdeck.core.arch import Arch
from quarterdeck.core.handle import ProcessHandle
from quarterdeck.core.images import ImageFile
from quarterdeck.core.size import format_size
from quarterdeck.errors import HostError
from quarterdeck.host.facts import HostFacts
from quarterdeck.host.probe import probe
from quarterdeck.machine.assets import LocalAssets
from quarterdeck.machine.compose import compose
from quarterdeck.machine.resolve import resolve
from quarterdeck.machine.resolved import DiskOrigin, QemuCommand, ResolvedMachine
from quarterdeck.machine.spec import Accel, MachineSpec, NetworkMode

from .kernels import empty_kernel
from .world import NOBODY, SPECS, adapted, arch_of, assets, layout, load

pytestmark = pytest.mark.integration

MIB = 1 << 20
PATIENCE = 60.0
_FACTS: dict[str, HostFacts] = {}

NOT_HERE = {
    "arch-riscv32": "Debian has no OpenSBI for 32 bits",
    "kvm-x86": "KVM hosts only",
    "kvm-aarch64": "KVM hosts only",
    "network-auto-tap": "the tests of networks start it in a network namespace",
    "network-own-tap": "the tests of networks start it in a network namespace",
    "network-macvtap": "the tests of networks start it in a network namespace",
    "display-spice-port": "the tests of SPICE start it, with certificates and a free port",
}
"""Specs that no host of the tests can run, and why."""

REFUSALS = {
    "aio-io-uring": "io_uring",
    "network-bridge": "bridge helper",
}
"""What QEMU may say where the host, not the command, is at fault."""


@dataclass
class Running:
    """QEMU of one machine, its helpers, and the file that they print to."""

    qemu: ProcessHandle
    log: Path


def real_facts(name: str, spec: MachineSpec) -> HostFacts:
    arch = arch_of(spec)
    if arch.name not in _FACTS:
        _FACTS[arch.name] = asyncio.run(probe(arch, accel=False))
    facts = replace(adapted(name, _FACTS[arch.name]), tools=_FACTS[arch.name].tools)
    if name in {"network-passt", "network-auto-passt"} and os.geteuid() == 0:
        return replace(facts, identity=NOBODY)  # passt does not work as root
    return facts


def small(spec: MachineSpec) -> MachineSpec:
    """Return the spec with small disks, and for any host."""
    disks = tuple(replace(disk, size=max(disk.size, 64 * MIB)) if disk.size else disk for disk in spec.disks)
    return replace(spec, accel=Accel.TCG, disks=disks)


def with_files(found: LocalAssets, folder: Path, arch: Arch) -> LocalAssets:
    """Make the images that ``found`` names, and a kernel of no meaning."""
    folder.mkdir(parents=True, exist_ok=True)
    images = [item for item in (found.boot_disk, found.boot_iso, *(image for _, image in found.images)) if item]
    for image in images:
        process.run(["qemu-img", "create", "-q", "-f", image.format, image.path, "64M"])
    if found.kernel is not None:
        Path(found.kernel.initrd).write_bytes(bytes(1024))
        Path(found.kernel.kernel).write_bytes(empty_kernel(arch))
    return replace(
        found,
        boot_disk=found.boot_disk and replace(found.boot_disk, virtual_size=64 * MIB),
        images=tuple((name, replace(image, virtual_size=64 * MIB)) for name, image in found.images),
    )


def prepare(machine: ResolvedMachine) -> None:
    """Make what the launcher makes: disks, seed, firmware variables."""
    machine.layout.tpm.mkdir(parents=True)
    for disk in machine.disks:
        base: list[str] = []
        if disk.base is not None:
            base = ["-b", disk.base.path, "-F", disk.base.format]
        if disk.origin is not DiskOrigin.IN_PLACE:
            process.run(["qemu-img", "create", "-q", "-f", disk.format, *base, disk.path, str(disk.size)])
    if machine.seed:
        machine.layout.seed.write_bytes(bytes(MIB))
    if machine.firmware is not None and machine.firmware.variables:
        shutil.copyfile(machine.firmware.variables_template, machine.firmware.variables)


def wait_for(path: str, handle: ProcessHandle, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while not os.path.exists(path):
        if not handle.alive():
            raise EarlyEndError(log.read_text(errors="replace"))
        assert time.monotonic() < deadline, f"{path} did not appear"
        time.sleep(0.02)


class EarlyEndError(Exception):
    """A program ended at once; its output."""


@contextlib.contextmanager
def running(machine: ResolvedMachine, command: QemuCommand) -> Iterator[Running]:
    log = machine.layout.root / "log"
    with contextlib.ExitStack() as stack, log.open("wb") as output:
        for sidecar in command.sidecars:
            helper = process.spawn(sidecar.argv, log=output.fileno(), identity=machine.identity)
            stack.callback(end, helper)
            wait_for(sidecar.socket, helper, log)
        passed = [(item, os.open(item.path, os.O_RDWR if item.writable else os.O_RDONLY)) for item in command.descriptors]
        for _, number in passed:
            stack.callback(os.close, number)
        sets = [word for item, number in passed for word in ("-add-fd", f"fd={number},set={item.number}")]
        argv = [*command.argv, *sets]
        qemu = process.spawn(argv, log=output.fileno(), pass_fds=[number for _, number in passed], identity=machine.identity)
        stack.callback(end, qemu)
        wait_for(dict(command.sockets)["qmp"], qemu, log)
        yield Running(qemu, log)


def end(handle: ProcessHandle) -> None:
    handle.send(9)
    assert handle.wait_sync(PATIENCE)


class Qmp:
    """A QMP client of a few lines, independent of the one that is shipped."""

    def __init__(self, path: str) -> None:
        with contextlib.ExitStack() as on_error:
            self._socket = on_error.enter_context(socket.socket(socket.AF_UNIX))
            self._socket.settimeout(PATIENCE)
            self._socket.connect(path)
            self._lines = on_error.enter_context(self._socket.makefile("rw", encoding="utf-8"))
            assert "QMP" in json.loads(self._lines.readline())
            self.ask("qmp_capabilities")
            on_error.pop_all()

    def ask(self, command: str, **arguments: Any) -> Any:
        self._lines.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self._lines.flush()
        while line := self._lines.readline():
            answer = json.loads(line)
            if "event" not in answer:
                assert "return" in answer, answer
                return answer["return"]
        raise AssertionError("QEMU closed its monitor")

    def close(self) -> None:
        self._lines.close()
        self._socket.close()


def greeted(run: Running, path: str) -> Qmp:
    """Return a client of QEMU, which may end after it made the socket, or not listen on it yet."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return Qmp(path)
        except (OSError, ValueError):
            if not run.qemu.alive():
                raise EarlyEndError(run.log.read_text(errors="replace")) from None
            assert time.monotonic() < deadline, "QEMU does not answer"
            time.sleep(0.02)


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder with a short name, since Unix sockets take 107 bytes."""
    folder = Path(tempfile.mkdtemp(prefix="qd", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def tap() -> Iterator[None]:
    """The tap device that ``network-tap`` names."""
    try:
        process.run(["ip", "tuntap", "add", "dev", "qd-test0", "mode", "tap"])
    except (process.ProcessError, HostError) as error:
        pytest.skip(f"no tap device can be made: {error.reason or error.message}")
    yield
    process.run(["ip", "tuntap", "del", "dev", "qd-test0", "mode", "tap"])


def made(name: str, home: Path) -> ResolvedMachine:
    """Return the machine of spec ``name`` with all its files made below ``home``; skip what this host cannot run."""
    spec = small(load(name))
    if name in NOT_HERE:
        pytest.skip(NOT_HERE[name])
    try:
        facts = real_facts(name, spec)
        folder = home / "files"
        found = with_files(assets(spec, folder), folder, arch_of(spec))
        machine = resolve(spec, facts, found, layout(name, home))
    except HostError as error:
        pytest.skip(f"{error.message}: {error.reason}")
    prepare(machine)
    if machine.identity is not None:
        hand_over(machine)
    return machine


def hand_over(machine: ResolvedMachine) -> None:
    """Give the machine's folder to QEMU's user, and nothing else."""
    if os.geteuid() != 0:
        pytest.skip("only root can start QEMU as another user")
    for path in (machine.layout.vm, *machine.layout.vm.rglob("*")):
        os.chown(path, NOBODY.uid, NOBODY.gid)
    for disk in machine.disks:
        if disk.origin is DiskOrigin.IN_PLACE:
            os.chmod(disk.path, 0o600)


@pytest.mark.parametrize("name", SPECS)
def test_qemu_accepts_the_command(name: str, home: Path, request: pytest.FixtureRequest) -> None:
    machine = made(name, home)
    if any(card.mode is NetworkMode.TAP for card in machine.networks):
        request.getfixturevalue("tap")
    try:
        check(machine)
    except EarlyEndError as error:
        if REFUSALS.get(name, "\0") in str(error):
            pytest.skip(str(error).strip().splitlines()[-1])
        raise


def check(machine: ResolvedMachine) -> None:
    command = compose(machine)
    with running(machine, command) as run:
        qmp = greeted(run, dict(command.sockets)["qmp"])
        assert qmp.ask("query-status")["status"] == "prelaunch"
        check_disks(machine, qmp.ask("query-block"))
        for _, path in command.sockets:
            assert Path(path).is_socket()
        qmp.ask("quit")
        qmp.close()
        assert run.qemu.wait_sync(PATIENCE)
        assert run.qemu.returncode == 0
        assert complaints(run.log.read_text(errors="replace")) == []


def check_disks(machine: ResolvedMachine, answer: list[dict[str, Any]]) -> None:
    by_node = {item["inserted"]["node-name"]: item["inserted"] for item in answer if "inserted" in item}
    for disk in machine.disks:
        shown = by_node[disk.id]
        assert (shown["drv"], shown["ro"]) == (disk.format, disk.read_only)
        assert shown["image"]["virtual-size"] == disk.size, format_size(disk.size)
        assert shown["backing_file_depth"] == (1 if disk.origin is DiskOrigin.OVERLAY else 0)
    media = [drive.id for drive in machine.cdroms if isinstance(drive.image, ImageFile)]
    assert set(media) <= set(by_node)


def complaints(log: str) -> list[str]:
    """Return what QEMU warns of that is about the command and not about the host."""
    host = ("TCG doesn't support requested feature", "requires a host with", "num_cpus", "Number of", "exceeds the recommended")
    return [line for line in log.splitlines() if "qemu-system" in line and not any(text in line for text in host)]
