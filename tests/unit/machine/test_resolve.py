"""Every decision, and every refusal, of the resolver."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from quarterdeck.core.arch import FirmwareKind, find_arch
from quarterdeck.core.images import ImageFile, KernelBoot
from quarterdeck.core.process import Identity
from quarterdeck.errors import HostError, QuarterdeckError, UsageError
from quarterdeck.host.facts import HostFacts, KvmFacts, QemuFacts
from quarterdeck.machine.assets import LocalAssets
from quarterdeck.machine.compose import compose
from quarterdeck.machine.layout import MachineLayout
from quarterdeck.machine.load import load_spec
from quarterdeck.machine.resolve import resolve
from quarterdeck.machine.resolved import Accelerator, DiskOrigin, ResolvedMachine
from quarterdeck.machine.spec import Aio, DiskBus, DisplayKind, NetworkMode, ShareKind
from quarterdeck.provision.kind import Provisioning

GIB = 1 << 30
LAYOUT = MachineLayout(Path("/srv/qd/machines/test"))
DISK = ImageFile("/images/system.qcow2", "qcow2", 2 * GIB)
ISO = ImageFile("/images/setup.iso", "raw", GIB)
KERNEL = KernelBoot("/images/vmlinuz", "", "root=/dev/vda1")
TOOLS = (("passt", "/usr/bin/passt"), ("swtpm", "/usr/bin/swtpm"), ("virtiofsd", "/usr/libexec/virtiofsd"), ("qemu-bridge-helper", "/h"))


def host(arch: str = "x86_64", **changes: Any) -> HostFacts:
    facts = HostFacts(
        arch=arch,
        kernel="6.1",
        cpus=8,
        memory=16 * GIB,
        memory_available=12 * GIB,
        qemu=QemuFacts(f"/usr/bin/qemu-system-{arch}", (7, 2, 0)),
        kvm=KvmFacts(False, "no vmx or svm", "enable it in the firmware"),
        firmware=find_arch(arch).firmware,
        tools=TOOLS,
    )
    return replace(facts, **changes)


def machine(text: str = "{}", facts: HostFacts | None = None, layout: MachineLayout = LAYOUT, **assets: Any) -> ResolvedMachine:
    spec = load_spec(text, "x")
    arch = find_arch(spec.arch or "x86_64").name
    found = LocalAssets(**({"boot_disk": DISK} | assets))
    return resolve(spec, facts or host(arch), found, layout)


def why(resolved: ResolvedMachine, what: str) -> str:
    (choice,) = [choice for choice in resolved.choices if choice.what == what]
    return f"{choice.value}: {choice.why}"


def refusal(kind: type[QuarterdeckError], text: str = "{}", facts: HostFacts | None = None, **assets: Any) -> QuarterdeckError:
    with pytest.raises(kind) as caught:
        machine(text, facts, **assets)
    assert caught.value.hint
    return caught.value


def only_devices(*names: str) -> HostFacts:
    base = ("virtio-blk-pci", "virtio-net-pci", "virtio-vga", "virtio-serial-pci", "virtio-rng-pci", "virtio-balloon-pci")
    return host(qemu=QemuFacts("/q", (7, 2, 0), frozenset((*base, *names))))


def test_kvm_is_taken_only_when_it_was_proved() -> None:
    proved = host(kvm=KvmFacts(True, "QEMU ran under it"))
    assert (machine("{}", proved).accelerator, machine("{}", proved).cpu_model) == (Accelerator.KVM, "host")
    assert (machine().accelerator, machine().cpu_model) == (Accelerator.TCG, "max")
    assert why(machine(), "accelerator") == "tcg: no KVM: no vmx or svm"


def test_emulation_can_be_demanded() -> None:
    assert machine("accel: tcg", host(kvm=KvmFacts(True, "yes"))).accelerator is Accelerator.TCG


def test_kvm_that_is_demanded_and_not_proved_is_an_error_with_its_reason() -> None:
    error = refusal(HostError, "accel: kvm")
    assert (error.reason, error.hint) == ("no vmx or svm", "enable it in the firmware")


def test_the_cpu_model_of_the_spec_wins_but_host_needs_kvm() -> None:
    assert machine("cpu_model: Nehalem").cpu_model == "Nehalem"
    refusal(UsageError, "cpu_model: host,-svm")


@pytest.mark.parametrize(("wanted", "cpus"), [("half", 4), ("max", 8), ("3", 3), ("12", 12)])
def test_cpus(wanted: str, cpus: int) -> None:
    assert machine(f"cpus: {wanted}").cpus == cpus


def test_more_cpus_than_the_host_has_are_warned_of() -> None:
    assert "more than the 8" in why(machine("cpus: 12"), "CPUs")


def test_a_machine_type_with_fewer_cpus_takes_the_default_down_but_refuses_more() -> None:
    assert machine("arch: ppc", boot_disk=DISK).cpus == 1
    refusal(UsageError, "arch: ppc\ncpus: 4")


@pytest.mark.parametrize(("wanted", "memory"), [("half", 8 * GIB), ("3G", 3 * GIB), ("1500000K", 1465 << 20)])
def test_memory(wanted: str, memory: int) -> None:
    assert machine(f"memory: {wanted}").memory == memory


def test_the_most_memory_leaves_some_to_the_host() -> None:
    assert 8 * GIB < machine("memory: max").memory < 12 * GIB


def test_more_memory_than_the_host_has_is_an_error() -> None:
    assert "16 GiB" in refusal(HostError, "memory: 17G").reason


def test_more_memory_than_is_free_is_warned_of() -> None:
    assert "more than the 12 GiB that are free" in why(machine("memory: 13G"), "memory")


def test_memory_follows_the_steps_and_limits_of_the_machine_type() -> None:
    assert machine("arch: ppc64le\nmemory: 1000M", kernel=KERNEL).memory == GIB
    assert machine("arch: sh4", kernel=KERNEL).memory == 64 << 20
    refusal(UsageError, "arch: sh4\nmemory: 1G", kernel=KERNEL)
    refusal(UsageError, "arch: loongarch64\nmemory: 1G", kernel=KERNEL)


@pytest.mark.parametrize(
    ("text", "assets", "kind"),
    [
        ("{}", {}, FirmwareKind.UEFI),
        ("{}", {"uefi": True, "bios": True}, FirmwareKind.UEFI),
        ("{}", {"uefi": False, "bios": True}, None),
        ("{}", {"bios": True}, None),
        ("{}", {"boot_disk": None, "boot_iso": ISO}, FirmwareKind.UEFI),
        ("firmware: bios", {}, None),
        ("firmware: uefi", {"uefi": False}, FirmwareKind.UEFI),
        ("firmware: uefi-secure", {}, FirmwareKind.UEFI_SECURE),
        ("arch: s390x", {}, None),
        ("arch: aarch64", {"uefi": True}, FirmwareKind.UEFI),
    ],
)
def test_firmware(text: str, assets: dict[str, Any], kind: FirmwareKind | None) -> None:
    resolved = machine(text, **assets)
    assert (resolved.firmware.kind if resolved.firmware else None) is kind
    assert resolved.kernel is None


def test_a_kernel_boots_where_there_is_nothing_else_or_no_firmware() -> None:
    assert machine(boot_disk=None, kernel=KERNEL).kernel == KERNEL
    assert machine("arch: aarch64", host("aarch64", firmware=()), kernel=KERNEL, uefi=True).kernel == KERNEL
    assert machine("arch: s390x", kernel=KERNEL, uefi=False, bios=False).kernel == KERNEL
    assert machine("{}", kernel=KERNEL, uefi=True).kernel is None


def test_bios_loads_the_kernel_of_a_disk_that_bios_cannot_start() -> None:
    resolved = machine("firmware: bios", kernel=KERNEL, uefi=True, bios=False)
    assert (resolved.firmware, resolved.kernel) == (None, KERNEL)
    assert machine("firmware: bios", kernel=KERNEL, bios=True).kernel is None
    assert machine("firmware: bios", bios=False).kernel is None


def test_secure_boot_refuses_images_of_our_own_making() -> None:
    assert refusal(UsageError, "firmware: uefi-secure", kernel=KERNEL, uefi=True).key == "not-signed"


def test_the_variables_of_the_firmware_are_the_machines_own() -> None:
    firmware = machine().firmware
    assert firmware is not None
    assert (firmware.variables, firmware.variables_template) == ("/srv/qd/machines/test/vm/uefi-vars.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd")


def test_missing_firmware_names_its_package() -> None:
    assert refusal(HostError, "firmware: uefi", host(firmware=())).hint == "apt install ovmf"
    assert refusal(HostError, "arch: aarch64", host("aarch64", firmware=())).hint == "apt install qemu-efi-aarch64"
    assert refusal(HostError, "{}", host(firmware=()), uefi=True, bios=False).hint == "apt install ovmf"


@pytest.mark.parametrize(
    "text",
    [
        "arch: aarch64\nfirmware: bios",
        "arch: s390x\nfirmware: uefi",
        "machine_type: pc\nfirmware: uefi-secure",
        "machine_type: microvm\nfirmware: uefi",
    ],
)
def test_firmware_that_a_machine_cannot_have_is_refused(text: str) -> None:
    refusal(UsageError, text)


def test_an_image_that_boots_no_way_is_refused() -> None:
    with pytest.raises(UsageError, match="nothing to boot"):
        machine("{}", uefi=False, bios=False)


def test_the_boot_disk_is_never_written() -> None:
    (disk,) = machine().disks
    assert (disk.origin, disk.base, disk.path, disk.size) == (DiskOrigin.OVERLAY, DISK, "/srv/qd/machines/test/vm/disk0.qcow2", 2 * GIB)
    assert (disk.bus, disk.boot_index, disk.io_thread, disk.aio) == (DiskBus.VIRTIO_BLK, 1, True, Aio.THREADS)


def test_a_machine_without_image_gets_an_empty_disk() -> None:
    for assets in ({"boot_disk": None}, {"boot_disk": None, "boot_iso": ISO}):
        (disk,) = machine("{}", **assets).disks
        assert (disk.origin, disk.size, disk.base) == (DiskOrigin.BLANK, 20 * GIB, None)


def test_a_kernel_alone_gets_no_disk() -> None:
    assert machine("{}", boot_disk=None, kernel=KERNEL).disks == ()


def test_a_disk_can_grow_but_not_shrink() -> None:
    assert machine("disks: [{size: 5G}]").disks[0].size == 5 * GIB
    assert "disks[0]" in refusal(UsageError, "disks: [{size: 1G}]").message


def test_images_of_further_disks() -> None:
    data = ImageFile("/data/d.vmdk", "vmdk", GIB)
    text = "boot: x\ndisks: [{}, {image: d}, {image: d, read_only: true}, {size: 1G, format: raw}]"
    resolved = machine(text, images=(("d", data),))
    assert [disk.origin for disk in resolved.disks] == [DiskOrigin.OVERLAY, DiskOrigin.OVERLAY, DiskOrigin.IN_PLACE, DiskOrigin.BLANK]
    assert [disk.path.rpartition("/")[2] for disk in resolved.disks] == ["disk0.qcow2", "disk1.qcow2", "d.vmdk", "disk3.raw"]
    assert [disk.format for disk in resolved.disks] == ["qcow2", "qcow2", "vmdk", "raw"]
    assert [disk.boot_index for disk in resolved.disks] == [1, 0, 0, 0]


def test_an_image_in_place_is_the_disk_itself() -> None:
    disk = machine("disks: [{image: d, in_place: true}]", boot_disk=None, images=(("d", DISK),)).disks[0]
    assert (disk.origin, disk.path, disk.base) == (DiskOrigin.IN_PLACE, DISK.path, None)


def test_the_first_disk_cannot_have_two_images() -> None:
    refusal(UsageError, "boot: x\ndisks: [{image: d}]", images=(("d", DISK),))


def test_uncached_disks_use_native_aio() -> None:
    assert machine("disks: [{cache: none}]").disks[0].aio is Aio.NATIVE


@pytest.mark.parametrize(
    "text",
    [
        "disks: [{bus: ide}]",
        "arch: s390x\ndisks: [{bus: nvme}]",
        "arch: s390x\ndisks: [{bus: sata}]",
        "arch: s390x\ndisks: [{bus: usb}]",
        "boot: b\ndisks: [{}, {bus: sata, image: d, read_only: true}]",
        "arch: s390x\ncdroms: [{bus: sata}]",
        "cdroms: [{bus: ide}]",
        "cdroms: [" + "{bus: sata}, " * 7 + "]",
        "machine_type: pc\ndisks: [" + "{bus: ide, size: 3G}, " * 5 + "]",
        "arch: sparc",
    ],
)
def test_a_bus_that_a_machine_does_not_have_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        machine(text, images=(("d", DISK),))


def test_a_bus_that_this_qemu_does_not_have_is_refused() -> None:
    assert "this QEMU has no nvme" in refusal(UsageError, "disks: [{bus: nvme}]", only_devices()).message


def test_a_thread_that_a_bus_cannot_have_is_noted() -> None:
    resolved = machine("disks: [{bus: sata}]")
    assert not resolved.disks[0].io_thread
    assert why(resolved, "disk0 io_thread").startswith("no: ")
    assert not machine("arch: m68k", kernel=KERNEL).disks[0].io_thread


def test_optical_drives_come_in_order_with_the_seed_last() -> None:
    resolved = machine("cdroms: [{image: i}, {}]", boot_disk=None, boot_iso=ISO, images=(("i", ISO),), provisioning=Provisioning.CLOUD_INIT)
    assert [(drive.id, drive.boot_index, drive.bus) for drive in resolved.cdroms] == [
        ("cdrom0", 2, DiskBus.SATA),
        ("cdrom1", 3, DiskBus.SATA),
        ("cdrom2", 0, DiskBus.SATA),
        ("seed", 0, DiskBus.SATA),
    ]


@pytest.mark.parametrize(("arch", "bus"), [("aarch64", DiskBus.VIRTIO_SCSI), ("s390x", DiskBus.VIRTIO_SCSI), ("mips64el", DiskBus.IDE)])
def test_the_seed_is_where_the_machine_has_optical_drives(arch: str, bus: DiskBus) -> None:
    assert machine(f"arch: {arch}", provisioning=Provisioning.CLOUD_INIT, kernel=KERNEL).cdroms[-1].bus is bus


def test_the_seed_is_a_disk_where_there_are_no_optical_drives() -> None:
    assert machine("display: {kind: none}", only_devices(), provisioning=Provisioning.CLOUD_INIT).cdroms[-1].bus is DiskBus.VIRTIO_BLK


def test_a_system_gets_the_memory_and_the_disk_that_it_needs() -> None:
    needs: dict[str, Any] = {"least_memory": 4 * GIB, "least_disk": 30 * GIB}
    assert machine(**needs).memory == 4 * GIB
    assert machine(**needs).disks[0].size == 30 * GIB
    assert machine(boot_disk=None, boot_iso=ISO, **needs).disks[0].size == 30 * GIB
    small = machine("{memory: 1G, disks: [{size: 5G}]}", **needs)
    assert (small.memory, small.disks[0].size) == (GIB, 5 * GIB)
    assert "needs 4 GiB" in why(small, "memory")


@pytest.mark.parametrize(("arch", "device"), [("x86_64", "-fw_cfg"), ("aarch64", "-fw_cfg"), ("s390x", "-device"), ("ppc64le", "-device")])
def test_an_ignition_config_reaches_the_guest_by_what_its_machine_has(arch: str, device: str) -> None:
    coreos = machine(f"arch: {arch}", provisioning=Provisioning.IGNITION)
    assert coreos.ignition
    assert not coreos.seed
    argv = compose(coreos).argv
    found = [argv[index - 1] for index, word in enumerate(argv) if "com.coreos" in word or '"serial":"ignition"' in word]
    assert found == [device]


def test_what_cannot_be_set_up_is_not_promised() -> None:
    error = refusal(UsageError, "provision: {hostname: box}", boot_disk=None, boot_iso=ISO, provisioning=Provisioning.NONE)
    assert error.key == "cannot-provision"
    assert not machine(boot_disk=None, boot_iso=ISO, provisioning=Provisioning.NONE).seed


def test_provision_brings_a_seed_to_any_image() -> None:
    assert machine("provision: {packages: [vim]}").seed
    assert not machine().seed


def test_addresses_and_ids_depend_on_the_name_only() -> None:
    first, second = machine("networks: [{}, {}]"), machine("networks: [{}, {}]\ncpus: 1")
    assert (first.uuid, first.networks) == (second.uuid, second.networks)
    assert first.networks[0].mac != first.networks[1].mac
    assert first.networks[0].mac.startswith("52:54:00:")
    assert machine("name: other").uuid != first.uuid


def test_a_card_that_the_user_describes() -> None:
    (card,) = machine("networks: [{mac: '52:54:00:AA:00:01', model: e1000, ports: ['0.0.0.0:80:8080']}]").networks
    assert (card.mac, card.device, card.ports[0].guest) == ("52:54:00:aa:00:01", "e1000", 8080)


def test_the_mode_none_makes_no_card() -> None:
    assert machine("networks: [{mode: none}]").networks == ()
    assert why(machine("networks: []"), "network").startswith("none")


def test_a_bridge_says_what_it_costs() -> None:
    assert "set-uid" in why(machine("networks: [{mode: bridge, interface: br0}]"), "sandbox")


@pytest.mark.parametrize(("mode", "package"), [("passt", "passt"), ("bridge", "qemu-system-common")])
def test_a_helper_that_is_missing_names_its_package(mode: str, package: str) -> None:
    interface = ", interface: b" if mode == NetworkMode.BRIDGE else ""
    assert refusal(HostError, f"networks: [{{mode: {mode}{interface}}}]", host(tools=())).hint == f"apt install {package}"


def test_passt_needs_a_qemu_that_speaks_to_it() -> None:
    refusal(HostError, "networks: [{mode: passt}]", host(qemu=QemuFacts("/q", (7, 1, 0))))


@pytest.mark.parametrize(
    "text",
    ["networks: [{model: warp}]", "networks: [{model: e1000, mtu: 1400}]", "networks: [{ports: ['1-600:1-600', '1001-1600:1-600']}]"],
)
def test_a_card_that_cannot_be_is_refused(text: str) -> None:
    refusal(UsageError, text, only_devices("e1000"))


def test_displays() -> None:
    assert machine("display: {resolution: 1280x800}").display.width == 1280
    assert machine("display: {kind: none}").display.kind is DisplayKind.NONE
    assert machine("display: {kind: spice}").display.kind is DisplayKind.SPICE
    assert machine("arch: hppa").display.kind is DisplayKind.NONE
    assert machine("machine_type: microvm", kernel=KERNEL).display.device == "virtio-gpu-device"


def test_a_display_that_this_qemu_does_not_have_is_refused() -> None:
    refusal(UsageError, "display: {device: warp}", only_devices())
    assert refusal(HostError, "display: {kind: spice}", only_devices()).hint.startswith("apt install qemu-system-modules-spice")


def test_a_tpm_needs_swtpm_and_a_machine_that_can_have_one() -> None:
    assert machine("tpm: true").tpm
    assert refusal(HostError, "tpm: true", host(tools=())).hint == "apt install swtpm"
    refusal(UsageError, "arch: s390x\ntpm: true")
    with pytest.raises(UsageError, match="swtpm cannot use"):
        machine("tpm: true", layout=MachineLayout(Path("/a,b/machines/x")))


def test_usb_needs_a_bus() -> None:
    assert machine("usb: [{vendor: 1, product: 2}]").usb[0].bus == -1
    refusal(UsageError, "arch: s390x\nusb: [{vendor: 1, product: 2}]")


@pytest.mark.parametrize(
    ("share", "facts", "kind"),
    [
        ("", host(), ShareKind.VIRTIOFS),
        ("kind: 9p", host(), ShareKind.P9),
        ("read_only: true", host(), ShareKind.P9),
        ("", host(tools=()), ShareKind.P9),
        ("", host(tools=(("virtiofsd", "/usr/lib/qemu/virtiofsd"),)), ShareKind.P9),
        ("kind: virtiofs", host(tools=(("virtiofsd", "/usr/lib/qemu/virtiofsd"),)), ShareKind.VIRTIOFS),
    ],
)
def test_shares(share: str, facts: HostFacts, kind: ShareKind) -> None:
    text = "{path: /a, " + share + "}"
    assert machine(f"shares: [{text}]", facts).shares[0].kind is kind


def test_shares_that_cannot_be_are_refused() -> None:
    legacy = host(tools=(("virtiofsd", "/usr/lib/qemu/virtiofsd"),), identity=Identity(1, 1))
    assert "must run as root" in refusal(HostError, "shares: [{path: /a, kind: virtiofs}]", legacy).reason
    refusal(HostError, "shares: [{path: /a, kind: virtiofs}]", host(tools=()))
    refusal(HostError, "shares: [{path: /a, kind: virtiofs, read_only: true}]")
    refusal(UsageError, "shares: [{path: a}]")


def test_small_devices_are_left_out_with_a_note_where_they_cannot_be() -> None:
    resolved = machine("display: {kind: none}", host(qemu=QemuFacts("/q", (7, 2, 0), frozenset({"virtio-blk-pci", "virtio-net-pci"}))))
    assert (resolved.agent, resolved.rng, resolved.balloon, resolved.panic_device) == (False, False, False, "")
    assert why(resolved, "guest agent").startswith("no: ")


@pytest.mark.parametrize(("text", "device"), [("{}", "pvpanic"), ("arch: aarch64", "pvpanic-pci"), ("arch: s390x", "")])
def test_panics_are_told_by_what_the_machine_has(text: str, device: str) -> None:
    assert machine(text).panic_device == device


def test_a_folder_too_deep_for_sockets_is_refused_with_the_way_out() -> None:
    with pytest.raises(UsageError) as caught:
        machine(layout=MachineLayout(Path("/" + "é" * 45) / "machines" / "x"))
    assert "QUARTERDECK_HOME" in caught.value.hint


def test_a_machine_type_that_is_not_known_is_left_to_qemu() -> None:
    resolved = machine("arch: aarch64\nmachine_type: sbsa-ref", kernel=KERNEL)
    assert "not known here" in why(resolved, "machine type")


def test_versioned_machine_types_are_known() -> None:
    assert machine("machine_type: pc-q35-7.2").panic_device == "pvpanic"


def test_the_user_of_qemu_is_told() -> None:
    assert why(machine("{}", host(identity=Identity(7, 7), identity_reason="because")), "user") == "7: because"


def test_the_name_is_the_folders_unless_given() -> None:
    assert (machine().name, machine("name: n").name) == ("test", "n")


def test_several_cpus_of_a_pc_take_turns_where_qemu_cannot_emulate_them_side_by_side() -> None:
    assert "they take turns, since QEMU 7.2.0" in why(machine("cpus: 2"), "CPUs")
    assert "take turns" not in why(machine("cpus: 1"), "CPUs")
    assert "take turns" not in why(machine("cpus: 2", host(qemu=QemuFacts("/q", (10, 0, 2)))), "CPUs")
    assert "take turns" not in why(machine("arch: aarch64\ncpus: 2"), "CPUs")


def test_flags_are_added_to_whichever_cpu_model() -> None:
    assert machine("cpu_flags: [+avx2, pmu=off]").cpu_model.endswith(",+avx2,pmu=off")
    assert machine("cpu_model: Haswell\ncpu_flags: [-svm]").cpu_model == "Haswell,-svm"


def test_firmware_that_came_along_is_what_the_machine_begins_with() -> None:
    found = machine("firmware: uefi\nfirmware_variables: /old/uefi.vars").firmware
    assert found is not None
    assert (found.begins_as, found.variables) == ("/old/uefi.vars", str(LAYOUT.firmware_variables))
    found = machine("firmware_image: /f.bin").firmware
    assert found is not None
    assert (found.code, found.variables) == ("/f.bin", "")


def test_the_disc_can_go_before_the_disk() -> None:
    for text, disk, disc in (("{}", 1, 2), ("boot_first: cdrom", 1000, 1)):
        found = machine(text, boot_iso=ImageFile("/a.iso", "raw", 1 << 30))
        assert (found.disks[0].boot_index, found.cdroms[0].boot_index) == (disk, disc)
    assert machine("boot_bus: usb", boot_iso=ImageFile("/a.iso", "raw", 1 << 30)).cdroms[0].bus is DiskBus.USB


def test_what_a_disk_cannot_have_is_noted() -> None:
    image = (("a", ImageFile("/a.raw", "raw", 1 << 30)),)
    found = machine("disks: [{image: a, rotation: 1, preallocate: true, format_options: [cluster_size=2M]}]", images=image, boot_disk=None)
    assert (found.disks[0].rotation, found.disks[0].preallocate, found.disks[0].format_options) == (None, False, ())
    assert why(found, "disk0 rotation") == "no: 'virtio-blk' disks tell no rotation rate"
    assert why(found, "disk0 preallocate") == why(found, "disk0 format_options") == "no: the disk is not a new, empty one"


def test_the_uuid_of_the_spec_wins() -> None:
    assert machine("uuid: 6ba7b810-9dad-11d1-80b4-00c04fd430c8").uuid == "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
