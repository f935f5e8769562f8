"""Properties of the command that the golden files do not spell out."""

import itertools
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from quarterdeck.core.arch import ARCHES, Bus, find_arch
from quarterdeck.core.images import ImageFile, KernelBoot
from quarterdeck.core.process import Identity
from quarterdeck.errors import UsageError
from quarterdeck.host.facts import HostFacts, KvmFacts, QemuFacts
from quarterdeck.machine.assets import LocalAssets
from quarterdeck.machine.boards import Board, find_board
from quarterdeck.machine.compose import compose
from quarterdeck.machine.devices.address import DISK, NETWORK, address
from quarterdeck.machine.explain import explain, shell_lines
from quarterdeck.machine.layout import MachineLayout
from quarterdeck.machine.load import load_spec
from quarterdeck.machine.resolve import resolve
from quarterdeck.machine.resolved import Descriptor, ResolvedMachine

GIB = 1 << 30
TOOLS = (("passt", "/usr/bin/passt"), ("swtpm", "/usr/bin/swtpm"), ("virtiofsd", "/usr/libexec/virtiofsd"), ("qemu-bridge-helper", "/h"))


def machine(text: str = "{}", identity: Identity | None = None, **assets: Any) -> ResolvedMachine:
    spec = load_spec(text, "x")
    arch = find_arch(spec.arch or "x86_64")
    facts = HostFacts(
        arch=arch.name,
        kernel="6.1",
        cpus=8,
        memory=16 * GIB,
        qemu=QemuFacts(f"/usr/bin/qemu-system-{arch.system}", (7, 2, 0)),
        kvm=KvmFacts(False, "none"),
        firmware=arch.firmware,
        tools=TOOLS,
        identity=identity,
    )
    found = {"boot_disk": ImageFile("/home/me/system.qcow2", "qcow2", GIB)} | assets
    return resolve(spec, facts, LocalAssets(**found), MachineLayout(Path("/srv/qd/machines/test")))


def values(argv: tuple[str, ...], option: str) -> list[str]:
    return [value for name, value in itertools.pairwise(argv) if name == option]


def devices(resolved: ResolvedMachine) -> dict[str, dict[str, Any]]:
    found = [json.loads(value) for value in values(compose(resolved).argv, "-device")]
    return {item["id"]: item for item in found}


@pytest.mark.parametrize("arch", [arch.name for arch in ARCHES if arch.system and arch.name != "sparc"])
def test_every_architecture_has_a_command(arch: str) -> None:
    command = compose(machine(f"arch: {arch}", kernel=KernelBoot("/k", "/i", "quiet")))
    assert command.argv[0].startswith("/usr/bin/qemu-system-")


def test_the_rules_that_every_qemu_lives_by() -> None:
    argv = compose(machine()).argv
    assert {"-nodefaults", "-no-user-config", "-S"} <= set(argv)
    assert values(argv, "-sandbox") == ["on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"]
    assert values(argv, "-mon") == ["chardev=qmp,mode=control"]
    assert not any("tcp" in value for value in values(argv, "-chardev"))


def test_a_bridge_needs_the_set_uid_helper() -> None:
    (sandbox,) = values(compose(machine("networks: [{mode: bridge, interface: b}]")).argv, "-sandbox")
    assert "elevateprivileges=allow,spawn=allow" in sandbox


def test_further_arguments_come_last() -> None:
    assert compose(machine("qemu_args: [-foo, 'b,c']")).argv[-2:] == ("-foo", "b,c")


def test_every_socket_that_qemu_listens_on_is_named() -> None:
    sockets = dict(compose(machine()).sockets)
    assert set(sockets) == {"qmp", "vnc", "serial", "agent"}
    assert set(dict(compose(machine("display: {kind: none}\nserial: false\nagent: false")).sockets)) == {"qmp"}
    assert "spice" in dict(compose(machine("display: {kind: spice}")).sockets)


@pytest.mark.parametrize(
    ("text", "console"),
    [
        ("{}", "console=tty0 console=ttyS0"),
        ("display: {kind: none}", "console=ttyS0"),
        ("serial: false", "console=tty0"),
        ("arch: aarch64", "console=tty0 console=ttyAMA0"),
    ],
)
def test_a_kernel_uses_every_console(text: str, console: str) -> None:
    argv = compose(machine(text, boot_disk=None, kernel=KernelBoot("/k", "/i", "quiet"))).argv
    assert values(argv, "-append") == [f"quiet {console}"]
    assert (values(argv, "-kernel"), values(argv, "-initrd")) == (["/k"], ["/i"])


def test_a_kernel_without_initrd() -> None:
    assert "-initrd" not in compose(machine(boot_disk=None, kernel=KernelBoot("/k", "", ""))).argv


def test_files_of_the_user_are_handed_over_when_qemu_runs_as_another() -> None:
    resolved = machine("disks: [{image: d, in_place: true}]\ncdroms: [{image: i}]", Identity(7, 7), boot_disk=None, images=images())
    command = compose(resolved)
    assert command.descriptors == (
        Descriptor(1, "/home/me/d.img", True),
        Descriptor(2, "/home/me/i.iso", False),
    )
    assert not any("/home/me" in word for word in command.argv)


def test_the_form_for_people_names_the_files() -> None:
    resolved = machine("disks: [{image: d, in_place: true}]", Identity(7, 7), boot_disk=None, images=images())
    command = compose(resolved, descriptors=False)
    assert command.descriptors == ()
    assert any("/home/me/d.img" in word for word in command.argv)


def test_images_of_our_own_and_files_of_our_own_user_need_no_descriptor() -> None:
    ours = ImageFile("/srv/qd/images/debian.qcow2", "qcow2", GIB)
    assert compose(machine("{}", Identity(7, 7), boot_disk=ours)).descriptors == ()
    assert compose(machine()).descriptors == ()
    near = ImageFile("/srv/qd/images-of-mine/x.qcow2", "qcow2", GIB)
    assert len(compose(machine("{}", Identity(7, 7), boot_disk=near)).descriptors) == 1


def images() -> tuple[tuple[str, ImageFile], ...]:
    return (("d", ImageFile("/home/me/d.img", "raw", GIB)), ("i", ImageFile("/home/me/i.iso", "raw", GIB)))


def test_a_second_disk_does_not_move_the_network_card() -> None:
    one, two = devices(machine()), devices(machine("disks: [{}, {size: 1G}, {size: 1G, bus: nvme}]"))
    assert one["net0-device"]["addr"] == two["net0-device"]["addr"]
    assert one["disk0-device"]["addr"] == two["disk0-device"]["addr"]


def test_no_two_devices_share_a_place() -> None:
    text = (
        "networks: ["
        + "{}, " * 40
        + "]\ndisks: [{}, "
        + "{size: 1G}, " * 80
        + "]\nshares: ["
        + ", ".join(f"{{path: /a, tag: t{n}}}" for n in range(20))
        + "]"
    )
    for prefix in ("", "arch: aarch64\n", "arch: ppc64le\n", "arch: s390x\n", "machine_type: pc\nfirmware: bios\n"):
        places = [item.get("addr") or item.get("devno") for item in devices(machine(prefix + text)).values()]
        taken = [place for place in places if place]
        assert len(taken) == len(set(taken)) >= 140


def test_functions_of_a_slot_need_the_first_one_to_say_so() -> None:
    cards = devices(machine("networks: [" + "{}, " * 7 + "]"))
    assert (cards["net0-device"]["multifunction"], cards["net6-device"]["addr"]) == (True, "0a.1")
    assert "multifunction" not in cards["net1-device"]


def test_too_many_devices_are_refused() -> None:
    with pytest.raises(UsageError, match="48 places for network cards"):
        compose(machine("networks: [" + "{}, " * 49 + "]"))


def test_addresses_by_kind_of_bus() -> None:
    assert address(Board(transport=Bus.CCW), DISK, 3) == {"devno": "fe.0.1003"}
    assert address(Board(transport=Bus.MMIO), DISK) == {}
    assert address(Board(), NETWORK) == {"bus": None}


def test_boards_are_found_by_name_version_and_with_options() -> None:
    x86 = find_arch("x86_64")
    assert find_board(x86, "q35") is find_board(x86, "pc-q35-10.0") is find_board(x86, "q35,vmport=off")
    assert find_board(x86, "pc-i440fx-7.2").ide_channels == 2
    assert not find_board(x86, "isapc").known
    assert find_board(find_arch("m68k"), "virt").transport is Bus.MMIO


def test_options_of_the_machine_type_win_over_ours() -> None:
    (line,) = values(compose(machine("arch: aarch64\nmachine_type: 'virt,gic-version=2,secure'")).argv, "-machine")
    assert line.startswith("gic-version=2,type=virt,secure=on")


def test_sidecars_come_with_their_sockets() -> None:
    text = "tpm: true\nnetworks: [{mode: passt}]\nshares: [{path: /a}]"
    sidecars = {sidecar.name: sidecar for sidecar in compose(machine(text)).sidecars}
    assert set(sidecars) == {"passt-net0", "virtiofsd-shared", "swtpm"}
    assert all(any(sidecar.socket in word for word in sidecar.argv) for sidecar in sidecars.values())


def test_the_legacy_virtiofsd_gets_its_own_options_and_escapes() -> None:
    resolved = machine("shares: [{path: '/a,b\\c', kind: 9p}]")
    legacy = replace(resolved, tools=(("virtiofsd", "/usr/lib/qemu/virtiofsd"),))
    from quarterdeck.machine.devices.shares import virtiofsd

    assert "source=/a\\,b\\\\c" in virtiofsd(legacy, resolved.shares[0]).argv
    assert "--shared-dir=/a,b\\c" in virtiofsd(resolved, resolved.shares[0]).argv


def test_a_name_that_json_cannot_carry_is_refused() -> None:
    with pytest.raises(UsageError, match="not UTF-8"):
        compose(machine(boot_disk=ImageFile("/home/\udcff.qcow2", "qcow2", GIB)))


def test_the_same_machine_gives_the_same_command() -> None:
    assert compose(machine()) == compose(machine())


def test_explain_shows_machine_reasons_and_programs() -> None:
    resolved = machine("tpm: true\nboot: x\ncdroms: [{}]\nshares: [{path: /a}]\nusb: [{vendor: 1, product: 1}]")
    shown = explain(resolved, compose(resolved, descriptors=False))
    rows = {row.name: row.value for row in shown.machine}
    assert (rows["architecture"], rows["memory"], rows["cdrom0"]) == ("x86_64", "2 GiB", "empty (sata)")
    assert rows["devices"].endswith("panic notifier, 1 USB devices")
    assert [program.name for program in shown.programs][-1] == "qemu"
    assert json.loads(json.dumps(shown.to_json()))["choices"][0]["what"] == "architecture"


def test_a_command_can_be_pasted() -> None:
    assert shell_lines(("/bin/q", "-a", "b c", "-d", "-e", "f")) == "/bin/q \\\n  -a 'b c' \\\n  -d \\\n  -e f"


def test_explain_of_a_kernel_and_of_a_bare_machine() -> None:
    resolved = machine(
        "display: {kind: none}\nserial: false\nagent: false\nrng: false\nballoon: false", boot_disk=None, kernel=KernelBoot("/k", "", "")
    )
    rows = {row.name: row.value for row in explain(replace(resolved, panic_device=""), compose(resolved)).machine}
    assert (rows["boots by"], rows["devices"], rows["screen"]) == ("kernel /k", "none", "none")


@pytest.mark.parametrize("identity", [None, Identity(1000, 1000)])
def test_a_block_device_is_opened_for_qemu_alone(identity: Identity | None) -> None:
    device = ImageFile("/dev/vg/data", "raw", GIB, device=True)
    resolved = machine("disks: [{image: d, in_place: true}]", identity, boot_disk=None, images=(("d", device),))
    command = compose(resolved)
    assert command.descriptors == (Descriptor(1, "/dev/vg/data", True, exclusive=True),)
    assert '"driver":"host_device","filename":"/dev/fdset/1"' in " ".join(command.argv)
    assert '"driver":"host_device","filename":"/dev/vg/data"' in " ".join(compose(resolved, descriptors=False).argv)


def test_an_overlay_on_a_block_device_only_reads_it() -> None:
    device = ImageFile("/dev/vg/data", "raw", GIB, device=True)
    command = compose(machine("disks: [{image: d}]", boot_disk=None, images=(("d", device),)))
    assert '"driver":"host_device","filename":"/dev/vg/data","read-only":true' in " ".join(command.argv)
    assert command.descriptors == ()
