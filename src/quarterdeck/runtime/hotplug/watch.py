"""Gives USB devices of the host to a running guest whenever they are plugged in, and takes back what is gone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from quarterdeck.core.report import Level, Message
from quarterdeck.errors import DeadlineError, HostError, QemuError, QuarterdeckError, UsageError
from quarterdeck.machine.spec import MachineSpec
from quarterdeck.runtime.hotplug import plug, sysfs
from quarterdeck.runtime.hotplug.filter import UsbFilter
from quarterdeck.runtime.hotplug.sysfs import HostUsb
from quarterdeck.runtime.instance import Instance
from quarterdeck.runtime.status import Status

_LOOK_SECONDS = 2.0


class UsbWatch:
    """The USB devices of one machine: those of its spec at each start, and what is attached to it while it runs."""

    def __init__(self, status: Status, spec: Callable[[], MachineSpec], *, root: Path = Path("/")) -> None:
        self._status = status
        self._spec = spec
        self._root = root
        self._instance: Instance | None = None
        self._wanted: dict[UsbFilter, HostUsb | None] = {}
        """What is to be given, and what was; None: not plugged in, or it cannot be given."""
        self._said: dict[UsbFilter, str] = {}
        self._busy = asyncio.Lock()

    async def run(self, instance: Instance) -> None:
        """Watch until cancelled or QEMU is gone."""
        self._wanted = {UsbFilter.of(item): None for item in self._spec().usb}
        self._said.clear()
        self._instance = instance
        try:
            await self._adopt(instance)
            while instance.process.alive():
                if self._wanted:
                    async with self._busy:
                        await self._join(instance)
                await _pause()
        finally:
            self._instance = None

    async def attach(self, text: str) -> dict[str, Any]:
        """Give the device that ``text`` names to the guest, and again whenever it is plugged in, until :meth:`detach` or the machine's end.

        Raises:
            UsageError: the machine does not run, ``text`` names no device, the device is a hub, or the guest has it already.
            HostError: it is not plugged in, or cannot be opened.
            QemuError: QEMU refuses it.
        """
        wanted = UsbFilter.parse(text)
        instance = self._running()
        async with self._busy:
            device = self._pick(wanted)
            await plug.check_controller(instance.qmp)
            await plug.plug_in(instance.qmp, wanted, device, root=self._root)
            self._wanted[wanted] = device
        self._status.report(Message(Level.INFO, f"USB device {wanted} ({device.name or 'without a name'}) was given to the guest"))
        return self._line(device)

    async def detach(self, text: str) -> None:
        """Take a device from the guest, for as long as the machine runs.

        Raises:
            UsageError: the machine does not run, or the guest was not to have it.
            QemuError: QEMU refuses it.
        """
        asked = UsbFilter.parse(text)
        instance = self._running()
        async with self._busy:
            wanted = self._holder(asked)
            if wanted is None:
                raise UsageError(
                    "usb-not-attached", f"the guest does not have USB device {asked}", hint="'qd usb ls NAME' shows what it has"
                )
            if self._wanted.pop(wanted) is not None:
                await plug.plug_out(instance.qmp, wanted)
        self._status.report(Message(Level.INFO, f"USB device {wanted} was taken from the guest"))

    def to_json(self) -> list[dict[str, Any]]:
        """Return what is plugged into the host, and what is wanted and is not; as the answer of ``GET /usb``."""
        here = sysfs.devices(self._root)
        lines = [self._line(device) for device in here if not device.hub]
        gone = [wanted for wanted in self._wanted if not any(wanted.matches(device) for device in here)]
        return lines + [_absent(wanted) for wanted in gone]

    async def _adopt(self, instance: Instance) -> None:
        """Know what an earlier supervisor plugged in."""
        with suppress(QemuError, DeadlineError):
            here = sysfs.devices(self._root)
            for wanted in await plug.plugged(instance.qmp):
                self._wanted[wanted] = next((device for device in here if wanted.matches(device)), None)

    async def _join(self, instance: Instance) -> None:
        here = await asyncio.to_thread(sysfs.devices, self._root)
        for wanted, given in list(self._wanted.items()):
            try:
                await self._join_one(instance, wanted, given, here)
            except (HostError, QemuError, DeadlineError) as error:
                self._complain(wanted, error)

    async def _join_one(self, instance: Instance, wanted: UsbFilter, given: HostUsb | None, here: tuple[HostUsb, ...]) -> None:
        if given is not None and given not in here:
            self._wanted[wanted] = None
            await plug.plug_out(instance.qmp, wanted)
            self._status.report(Message(Level.INFO, f"USB device {wanted} was unplugged; the guest gets it again when it is back"))
        if self._wanted[wanted] is not None:
            return
        free = next((device for device in here if wanted.matches(device) and not device.hub and not self._given(device)), None)
        if free is None:
            self._say(wanted, f"USB device {wanted} is not plugged in; the guest gets it when it is")
            return
        await plug.plug_in(instance.qmp, wanted, free, root=self._root)
        self._wanted[wanted] = free
        self._said.pop(wanted, None)
        self._status.report(Message(Level.INFO, f"USB device {wanted} ({free.name or 'without a name'}) was given to the guest"))

    def _pick(self, wanted: UsbFilter) -> HostUsb:
        matching = [device for device in sysfs.devices(self._root) if wanted.matches(device)]
        if not matching:
            raise HostError("usb-missing", f"USB device {wanted} is not plugged in", hint="'qd usb ls' shows what is")
        if all(device.hub for device in matching):
            raise UsageError("usb-hub", f"USB device {wanted} is a hub", hint="attach what is plugged into it")
        free = [device for device in matching if not device.hub and not self._given(device)]
        if not free or self._wanted.get(wanted) is not None:
            raise UsageError("usb-attached", f"the guest has USB device {wanted} already")
        return free[0]

    def _given(self, device: HostUsb) -> bool:
        return device in self._wanted.values()

    def _holder(self, asked: UsbFilter) -> UsbFilter | None:
        """Return for which filter the guest has what is asked for, however it was named then."""
        if asked in self._wanted:
            return asked
        return next((wanted for wanted, given in self._wanted.items() if given is not None and asked.matches(given)), None)

    def _running(self) -> Instance:
        if self._instance is None:
            raise UsageError("wrong-state", "the machine does not run: USB devices come and go while it does", hint="start it first")
        return self._instance

    def _complain(self, wanted: UsbFilter, error: QuarterdeckError) -> None:
        self._say(wanted, "; ".join(part for part in (error.message, error.reason, error.hint) if part), Level.WARNING)

    def _say(self, wanted: UsbFilter, text: str, level: Level = Level.INFO) -> None:
        """Say something once, not at each look."""
        if self._said.get(wanted) != text:
            self._said[wanted] = text
            self._status.report(Message(level, text))

    def _line(self, device: HostUsb) -> dict[str, Any]:
        return {**sysfs.to_json(device), "plugged": True, "attached": self._given(device)}


async def _pause() -> None:
    await asyncio.sleep(_LOOK_SECONDS)


def _absent(wanted: UsbFilter) -> dict[str, Any]:
    return {
        "vendor": f"{wanted.vendor:04x}" if wanted.vendor >= 0 else "",
        "product": f"{wanted.product:04x}" if wanted.product >= 0 else "",
        "bus": wanted.bus if wanted.bus >= 0 else None,
        "port": wanted.port,
        "name": "",
        "plugged": False,
        "attached": False,
    }
