"""Command-line flags over a spec."""

import pytest

from quarterdeck.errors import SpecError
from quarterdeck.machine.flags import Flags, override
from quarterdeck.machine.load import load_spec
from quarterdeck.machine.spec import Accel, Firmware, MachineSpec, NetworkMode, NetworkSpec

DEBIAN = MachineSpec(boot="debian")


def said(flags: Flags, spec: MachineSpec = DEBIAN) -> list[str]:
    with pytest.raises(SpecError) as caught:
        override(spec, flags)
    return [f"{problem.place}: {problem.message}" for problem in caught.value.problems]


def test_no_flags_change_nothing() -> None:
    spec = load_spec("boot: debian\ndisks: [{size: 3G}]\nprovision: {commands: [a, [b]]}\nmemory: half", "x")
    assert override(spec, Flags()) == spec


def test_flags_win_over_the_spec() -> None:
    flags = Flags(name="n", arch="arm64", cpus="4", memory="3G", accel="tcg", firmware="bios", disk="9G")
    spec = override(load_spec("boot: debian\nname: old\ncpus: 1\ndisks: [{size: 3G, serial: A}]", "x"), flags)
    assert (spec.name, spec.arch, spec.cpus, spec.memory) == ("n", "arm64", 4, 3 << 30)
    assert (spec.accel, spec.firmware, spec.disks[0].size, spec.disks[0].serial) == (Accel.TCG, Firmware.BIOS, 9 << 30, "A")


@pytest.mark.parametrize("value", ["half", "max"])
def test_cpus_and_memory_take_words(value: str) -> None:
    spec = override(DEBIAN, Flags(cpus=value, memory=value))
    assert (spec.cpus, spec.memory) == (value, value)


def test_a_disk_is_made_where_the_spec_has_none() -> None:
    assert override(DEBIAN, Flags(disk="9G")).disks[0].size == 9 << 30


def test_ports_are_added_to_the_first_card_that_forwards() -> None:
    spec = MachineSpec(networks=(NetworkSpec(mode=NetworkMode.TAP, interface="t"), NetworkSpec(mode=NetworkMode.PASST, ports=("1:1",))))
    assert override(spec, Flags(ports=("2:2", "3:3"))).networks[1].ports == ("1:1", "2:2", "3:3")


def test_the_network_flag_takes_the_interface_too() -> None:
    card = override(DEBIAN, Flags(network="bridge:br0")).networks[0]
    assert (card.mode, card.interface) == (NetworkMode.BRIDGE, "br0")


def test_the_network_flag_none_removes_all_cards() -> None:
    assert override(DEBIAN, Flags(network="none")).networks == ()


def test_the_network_flag_makes_a_card_where_there_is_none() -> None:
    assert override(MachineSpec(networks=()), Flags(network="user", ports=("1:1",))).networks[0].ports == ("1:1",)


@pytest.mark.parametrize(
    ("value", "address", "port", "enabled"),
    [
        ("0.0.0.0:80", "0.0.0.0", 80, True),
        ("[::1]:8006", "::1", 8006, True),
        ("9000", "127.0.0.1", 9000, True),
        ("off", "127.0.0.1", None, False),
    ],
)
def test_the_viewer_flag(value: str, address: str, port: int | None, enabled: bool) -> None:
    viewer = override(DEBIAN, Flags(viewer=value)).viewer
    assert (viewer.address, viewer.port, viewer.enabled) == (address, port, enabled)


def test_keys_are_added() -> None:
    spec = load_spec("provision: {ssh_keys: [a]}", "x")
    assert override(spec, Flags(ssh_keys=("b", "c"))).provision.ssh_keys == ("a", "b", "c")


def test_every_problem_names_its_flag() -> None:
    flags = Flags(
        name="No Name", arch="vax", cpus="many", memory="3X", accel="warp", firmware="ueif", disk="big", viewer="x", ssh_keys=("",)
    )
    assert [text.partition(": ")[0] for text in said(flags)] == [
        "--viewer",
        "--name",
        "--cpus",
        "--memory",
        "--firmware",
        "--accel",
        "--disk",
        "--ssh-key",
    ]
    assert said(Flags(arch="vax")) == ["--arch: there is no architecture 'vax'"]


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (Flags(ports=("x",)), "--port: 'x' is not a port forward"),
        (Flags(ports=("1:1", "1:2")), "--port: takes a host port that '1:1' takes already"),
        (Flags(network="bridge"), "--network: is required for 'bridge': the name of the bridge"),
        (Flags(network="warp"), "--network: must be 'auto', 'user', 'passt', 'tap', 'bridge', 'macvtap' or 'none'"),
        (Flags(network="none", ports=("1:1",)), "--port: no network card of this machine forwards ports"),
        (Flags(memory="512"), "--memory: 512 bytes is too little"),
        (Flags(cpus="9" * 30), "--cpus: must be a whole number or 'half' or 'max'"),
        (Flags(viewer="a:99999"), "--viewer: must be at most 65535"),
    ],
)
def test_a_problem_names_its_flag(flags: Flags, expected: str) -> None:
    assert said(flags) == [expected]
