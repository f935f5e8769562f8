"""Machines at rest whose disks exist, though no guest ever ran: quick to make, and as good for all that needs no guest."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from quarterdeck.core.images import ImageFile
from quarterdeck.core.process import Identity
from quarterdeck.core.report import Event, Message
from quarterdeck.machine.assets import LocalAssets
from quarterdeck.machine.layout import MachineLayout
from quarterdeck.machine.spec import Accel, DiskSpec, MachineSpec, ViewerSpec
from quarterdeck.media.disk import create_blank, create_overlay
from quarterdeck.runtime import assets
from quarterdeck.runtime.prepare import make_folder
from quarterdeck.runtime.storage import image
from quarterdeck.runtime.storage.disks import machine_disks
from quarterdeck.runtime.storage.service import Storage
from quarterdeck.runtime.store import MachineStore

SIZE = 4 << 20
AT_REST = Identity(2_100_000_000, 2_100_000_000) if os.geteuid() == 0 else None
"""QEMU's user of the machine, as the launcher would choose one when we are root."""


class Home:
    """A QUARTERDECK_HOME that is thrown away."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.store = MachineStore(path / "machines")
        self.said: list[str] = []

    def machine(self, name: str = "m", *disks: DiskSpec) -> MachineLayout:
        """Make a machine with an overlay on an image full of 0x11, and a blank disk or ``disks``."""
        base = self.path / "base.raw"
        base.write_bytes(b"\x11" * SIZE)
        base.chmod(0o644)
        more = disks or (DiskSpec(size=SIZE),)
        named = MachineSpec(name=name, boot=str(base), arch="x86_64", accel=Accel.TCG, viewer=ViewerSpec(port=0))
        spec = replace(named, disks=(DiskSpec(), *more))
        layout = self.store.create(spec)
        layout.vm.mkdir(mode=0o700)
        asyncio.run(self._make_disks(layout, base, more))
        layout.firmware_variables.write_bytes(b"variables")
        assets.pin(layout, LocalAssets(boot_disk=ImageFile(str(base), "raw", SIZE), uefi=True))
        make_folder(layout.vm, AT_REST)
        return layout

    async def _make_disks(self, layout, base, more) -> None:
        await create_overlay(layout.disk(0, "qcow2"), base, "raw")
        for index, disk in enumerate(more, start=1):
            await create_blank(layout.disk(index, str(disk.format)), str(disk.format), size=disk.size)

    def storage(self, layout: MachineLayout) -> Storage:
        return Storage(layout, self.hear)

    def hear(self, event: Event) -> None:
        if isinstance(event, Message):
            self.said.append(event.text)

    def pattern(self, layout: MachineLayout, value: int, *, index: int = 0, at: int = 0, size: int = 65536) -> None:
        """Write bytes of ``value`` into a disk, as a guest would have."""
        disk = machine_disks(layout, self.store.spec(layout.root.name))[index]
        words = ["qemu-io", "-c", f"write -P {value} {at} {size}", image.whole(disk.image(0))]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr + done.stdout

    def content(self, layout: MachineLayout, index: int = 0) -> bytes:
        """Return what the guest would see of a disk; a machine that was not started yet shows what its first start would."""
        spec, found = self.store.spec(layout.root.name), assets.pinned(layout)
        assert found is not None
        path = layout.disk(index, "qcow2")
        if path.exists() or (index == 0 and found.boot_disk is None):
            source = machine_disks(layout, spec)[index].image(0)
        else:
            source = found.image(str(spec.disks[index].image)) if index else found.boot_disk or found.image("")
        target = self.path / "seen.raw"
        subprocess.run(["qemu-img", "convert", "-O", "raw", image.whole(source), target], check=True)
        return target.read_bytes()

    def qd(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(self.words(*words), capture_output=True, text=True, check=False, timeout=60)

    def words(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "quarterdeck.cli.main", *words]

    def whole(self, layout: MachineLayout) -> None:
        """Make sure that every qcow2 disk is sound and nothing unfinished is left."""
        assert not layout.storage_journal.exists()
        for path in layout.vm.glob("disk*.qcow2"):
            checked = json.loads(
                subprocess.run(["qemu-img", "check", "--output=json", image.alone(path, "qcow2")], capture_output=True, check=False).stdout
            )
            assert checked.get("corruptions", 0) == 0
        assert [path.name for path in layout.vm.glob(".sealed*")] == []


@pytest.fixture(name="home")
def _home(monkeypatch) -> Iterator[Home]:
    path = Path(tempfile.mkdtemp(dir="/tmp", prefix="qd-"))
    path.chmod(0o711)
    monkeypatch.setenv("QUARTERDECK_HOME", str(path))
    yield Home(path)
    shutil.rmtree(path)
