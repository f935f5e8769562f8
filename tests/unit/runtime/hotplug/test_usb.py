import asyncio
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.runtime.hotplug.fake_bus import FakeBus

from quarterdeck.errors import HostError, QemuError, UsageError
from quarterdeck.machine.layout import MachineLayout
from quarterdeck.machine.spec import MachineSpec, UsbSpec
from quarterdeck.runtime.events import EventLog
from quarterdeck.runtime.hotplug import watch
from quarterdeck.runtime.hotplug.filter import UsbFilter
from quarterdeck.runtime.hotplug.sysfs import devices
from quarterdeck.runtime.hotplug.watch import UsbWatch
from quarterdeck.runtime.state import State
from quarterdeck.runtime.statefile import StoredState
from quarterdeck.runtime.status import Status

KEY = "1050:0407"


class Qemu:
    """A QEMU that has what it is given."""

    def __init__(self, *, controller: bool = True) -> None:
        self.qmp = self.process = self
        self.running = True
        self.devices = ["usb0"] if controller else []
        self.sets = 0

    def alive(self) -> bool:
        return self.running

    async def add_fd(self, handle: int) -> int:
        self.sets += 1
        return self.sets

    async def execute(self, command: str, arguments: dict[str, Any]) -> Any:
        match command:
            case "device_add":
                self.devices.append(arguments["id"])
            case "device_del":
                self.devices.remove(arguments["id"])
            case "qom-list":
                return [{"name": name, "type": "child<x>"} for name in ("type", *self.devices)]
            case "remove-fd":
                self.sets -= 1
        return {}


class Stage:
    def __init__(self, tmp_path, monkeypatch) -> None:
        self.bus = FakeBus(tmp_path)
        self.log = EventLog()
        self.spec = MachineSpec()
        self.qemu = Qemu()
        status = Status(MachineLayout(tmp_path), self.log, StoredState(state=State.RUNNING))
        self.watch = UsbWatch(status, lambda: self.spec, root=tmp_path)
        self._tick = asyncio.Event()
        self._rest = asyncio.Event()
        monkeypatch.setattr(watch, "_pause", self._pause)

    async def _pause(self) -> None:
        self._rest.set()
        await self._tick.wait()
        self._tick.clear()

    async def __aenter__(self) -> "Stage":
        self._task = asyncio.create_task(self.watch.run(cast(Any, self.qemu)))
        await self._rest.wait()
        return self

    async def look(self) -> None:
        """Let the watch look once more."""
        self._rest.clear()
        self._tick.set()
        await self._rest.wait()

    async def __aexit__(self, *failure: object) -> None:
        self.qemu.running = False
        self._tick.set()
        await self._task

    @property
    def given(self) -> list[str]:
        return [name for name in self.qemu.devices if name != "usb0"]

    @property
    def said(self) -> list[str]:
        return [record.data["text"] for record in self.log._records if record.type == "message"]


@pytest.fixture
def stage(tmp_path, monkeypatch) -> Stage:
    return Stage(tmp_path, monkeypatch)


async def test_a_device_of_the_spec_is_given_when_it_is_plugged_in_and_again_after_it_was_pulled_out(stage):
    stage.spec = MachineSpec(usb=(UsbSpec(vendor=0x1050, product=0x0407),))
    async with stage:
        assert stage.given == []
        stage.bus.plug("1-1.4", KEY, name="Key")
        await stage.look()
        assert stage.given == ["host-usb-1050-0407"]
        stage.bus.pull("1-1.4")
        await stage.look()
        assert stage.given == []
        stage.bus.plug("2-3", KEY, name="Key")
        await stage.look()
        assert stage.given == ["host-usb-1050-0407"]
    assert stage.said == [
        "USB device 1050:0407 is not plugged in; the guest gets it when it is",
        "USB device 1050:0407 (Key) was given to the guest",
        "USB device 1050:0407 was unplugged; the guest gets it again when it is back",
        "USB device 1050:0407 is not plugged in; the guest gets it when it is",
        "USB device 1050:0407 (Key) was given to the guest",
    ]
    assert stage.qemu.sets == 0


async def test_a_device_that_is_back_before_anyone_looked_is_given_anew(stage):
    stage.bus.plug("1-2", KEY)
    async with stage:
        await stage.watch.attach("1.2")
        stage.bus.pull("1-2")
        stage.bus.plug("1-2", "abcd:0001")
        await stage.look()
        assert stage.watch.to_json()[0]["attached"]
    assert [line.rpartition(" was ")[2] for line in stage.said] == [
        "given to the guest",
        "unplugged; the guest gets it again when it is back",
        "given to the guest",
    ]


async def test_what_was_attached_is_detached_by_any_of_its_names(stage):
    stage.bus.plug("1-2", KEY)
    async with stage:
        shown = await stage.watch.attach(KEY)
        assert (shown["port"], shown["attached"]) == ("2", True)
        await stage.watch.detach("1.2")
        await stage.look()
        assert stage.given == []
        with pytest.raises(UsageError, match="does not have USB device"):
            await stage.watch.detach(KEY)


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ("046d:0001", HostError, "not plugged in"),
        ("1.1", UsageError, "is a hub"),
        ("mouse", UsageError, "names no USB device"),
        ("1-2", UsageError, "has USB device port 1.2 already"),
        ("1.3", HostError, "cannot be used"),
    ],
)
async def test_a_device_that_cannot_be_attached_is_refused_with_the_reason(stage, text, kind, message):
    stage.bus.plug("1-1", "1d6b:0002", kind="09")
    stage.bus.plug("1-2", KEY)
    stage.bus.plug("1-3", "1111:2222", node=False)
    async with stage:
        await stage.watch.attach(KEY)
        with pytest.raises(kind, match=message):
            await stage.watch.attach(text)


async def test_a_device_whose_file_is_missing_tells_once_what_a_container_needs(stage):
    stage.spec = MachineSpec(usb=(UsbSpec(bus=1, port="2"),))
    stage.bus.plug("1-2", KEY, node=False)
    async with stage:
        await stage.look()
        await stage.look()
    assert len(stage.said) == 1
    assert "-v /dev/bus/usb:/dev/bus/usb" in stage.said[0]


async def test_two_of_the_same_kind_can_both_be_given(stage):
    stage.bus.plug("1-2", KEY)
    stage.bus.plug("1-3", KEY)
    async with stage:
        await stage.watch.attach(KEY)
        await stage.watch.attach("1.3")
        assert stage.given == ["host-usb-1050-0407", "host-usb-at-1-3"]


async def test_a_machine_without_controller_takes_none(stage):
    stage.qemu = Qemu(controller=False)
    stage.bus.plug("1-2", KEY)
    async with stage:
        with pytest.raises(QemuError, match="no USB controller"):
            await stage.watch.attach(KEY)


async def test_a_new_supervisor_knows_what_the_guest_has(stage):
    stage.bus.plug("1-2", KEY)
    stage.qemu.devices.append("host-usb-1050-0407")
    async with stage:
        assert [line["attached"] for line in stage.watch.to_json()] == [True]
        await stage.watch.detach(KEY)
    assert stage.given == []


async def test_nothing_is_attached_while_no_machine_runs(stage):
    with pytest.raises(UsageError, match="does not run"):
        await stage.watch.attach(KEY)


async def test_what_the_guest_waits_for_is_listed(stage):
    stage.spec = MachineSpec(usb=(UsbSpec(vendor=0x1050, product=0x0407),))
    async with stage:
        assert [(line["vendor"], line["plugged"]) for line in stage.watch.to_json()] == [("1050", False)]


def test_odd_entries_of_the_bus_are_left_out(tmp_path):
    bus = FakeBus(tmp_path)
    bus.plug("1-2.1", KEY)
    bus.plug("1-2", "zz:zz")
    for name in ("usb1", "1-0:1.0", "1-2.1:1.0"):
        (tmp_path / "sys/bus/usb/devices" / name).mkdir()
    assert [device.port for device in devices(tmp_path)] == ["2.1"]
    assert devices(tmp_path / "nowhere") == ()


@given(
    st.builds(
        UsbFilter,
        vendor=st.integers(0, 0xFFFF),
        product=st.integers(0, 0xFFFF),
        bus=st.integers(1, 255),
        port=st.from_regex(r"[1-9](\.[1-9]){0,4}", fullmatch=True),
    ),
    st.sampled_from(["both", "identity", "place"]),
)
def test_the_id_tells_the_filter(whole, part):
    wanted = {
        "both": whole,
        "identity": UsbFilter(whole.vendor, whole.product),
        "place": UsbFilter(bus=whole.bus, port=whole.port),
    }[part]
    assert UsbFilter.from_id(wanted.id) == wanted


@pytest.mark.parametrize("name", ["usb0", "host-usb", "host-usbx", "disk0-device"])
def test_other_devices_are_not_ours(name):
    assert UsbFilter.from_id(name) is None
