"""What boots, in which order, and what of the old image's folders goes on."""

from dataclasses import replace

import pytest

from quarterdeck.errors import SpecError
from quarterdeck.machine.environment import ContainerWish, DiskFile, FileKind, Found, FoundFile, read_environment
from quarterdeck.machine.spec import DiskBus, Firmware
from quarterdeck.media.catalogue.catalogue import load_catalogue

GIB = 1 << 30
VARIABLES = 540672


def file(path: str, size: int = GIB, *, blank: bool = False, bios: bool | None = None, uefi: bool | None = None) -> FoundFile:
    form = {"qcow2": "qcow2", "img": "raw", "raw": "raw"}.get(path.rpartition(".")[2], "")
    return FoundFile(path=path, size=size, format=form, blank=blank, bios=bios, uefi=uefi)


def folder(path: str) -> FoundFile:
    return FoundFile(path=path, kind=FileKind.FOLDER)


def wish(*files: FoundFile, texts: tuple[tuple[str, str], ...] = (), **env: str) -> ContainerWish:
    return read_environment(env, Found(arch="x86_64", files=files, texts=texts, free=(("/storage", 100 * GIB),)))


def notes(wanted: ContainerWish) -> str:
    return "\n".join(str(note) for note in wanted.notes)


@pytest.mark.parametrize("name", ["boot.iso", "Boot.ISO", "custom.iso"])
@pytest.mark.parametrize("where", ["", "/storage"])
def test_a_mounted_disc_boots_with_an_empty_disk_beside_it(name: str, where: str) -> None:
    made = wish(file(f"{where}/{name}"), BOOT="debian").spec
    assert (made.name, made.boot) == ("boot", f"{where}/{name}")
    assert [(disk.image, disk.size) for disk in made.disks] == [(None, 64 * GIB)]


@pytest.mark.parametrize("ending", ["img", "raw", "qcow2"])
def test_a_mounted_disk_boots_and_is_never_written(ending: str) -> None:
    made = wish(file(f"/boot.{ending}")).spec
    assert made.boot == f"/boot.{ending}"
    assert not any(disk.in_place or disk.size for disk in made.disks)


@pytest.mark.parametrize("ending", ["img", "qcow2"])
def test_a_disk_image_in_the_storage_folder_is_the_machine_s_own(ending: str) -> None:
    made = wish(folder("/storage/gentoo"), file(f"/storage/gentoo/boot.{ending}"), BOOT="gentoo").spec
    assert (made.name, made.boot) == ("gentoo", None)
    assert [(disk.image, disk.in_place) for disk in made.disks] == [(f"/storage/gentoo/boot.{ending}", True)]


def test_a_mounted_disk_image_goes_before_an_empty_disk_and_behind_an_installed_one() -> None:
    made = wish(file("/boot.img"), file("/storage/data.img", blank=True)).spec
    assert (made.boot, [(disk.image, disk.in_place) for disk in made.disks]) == ("/boot.img", [(None, False), ("/storage/data.img", True)])
    made = wish(file("/boot.img"), file("/storage/data.img")).spec
    assert (made.boot, [(disk.image, disk.in_place) for disk in made.disks]) == (None, [("/storage/data.img", True), ("/boot.img", False)])


def test_the_disk_of_the_old_image_stays_beside_its_boot_image() -> None:
    made = wish(folder("/storage/tails"), file("/storage/tails/boot.img"), file("/storage/tails/data.img"), BOOT="tails").spec
    assert [(disk.image, disk.in_place) for disk in made.disks] == [("/storage/tails/boot.img", True), ("/storage/tails/data.img", True)]


def test_what_is_mounted_goes_before_a_disk_with_data() -> None:
    made = wish(file("/boot.iso"), file("/storage/data.img"), BOOT="mint")
    assert made.spec.boot == "/boot.iso"
    assert made.spec.disks[0].image == "/storage/data.img"
    assert "/boot.iso is there and boots" in notes(made)


def test_a_mount_of_a_file_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(SpecError) as caught:
        wish(folder("/boot.iso"), BOOT="mint")
    assert "does not exist on the host" in caught.value.reason
    assert wish(folder("/boot.iso"), file("/storage/data.img")).spec.disks[0].in_place


@pytest.mark.parametrize("name", ["data.img", "data.qcow2"])
def test_a_disk_with_data_boots_in_place_as_guests_know_it(name: str) -> None:
    made = wish(file(f"/storage/{name}"), BOOT="mint")
    disk = made.spec.disks[0]
    assert (made.spec.name, made.spec.boot) == ("data", None)
    assert (disk.image, disk.in_place, disk.bus, disk.rotation, disk.size) == (f"/storage/{name}", True, DiskBus.VIRTIO_SCSI, 1, None)
    assert "holds a system and boots" in notes(made)
    assert made.files == ()


def test_a_disk_without_data_is_installed_on() -> None:
    made = wish(folder("/storage/mint"), file("/storage/mint/boot.iso"), file("/storage/mint/data.img", blank=True), BOOT="mint").spec
    assert made.boot == "/storage/mint/boot.iso"
    assert (made.disks[0].image, made.disks[0].in_place) == ("/storage/mint/data.img", True)
    made = wish(file("/storage/data.img", blank=True), BOOT="mint").spec
    assert made.boot == "mint"


def test_each_boot_has_a_folder_and_a_machine_of_its_own() -> None:
    both = (folder("/storage/mint"), file("/storage/mint/data.img"), folder("/storage/arch"), file("/storage/arch/data.qcow2"))
    assert wish(*both, BOOT="mint").spec.disks[0].image == "/storage/mint/data.img"
    other = wish(*both, BOOT="Arch").spec
    assert (other.name, other.disks[0].image) == ("arch", "/storage/arch/data.qcow2")


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("https://example.org/x/My%20System.iso?y=1", "My_System"),
        ("https://example.org/disk.qcow2.xz", "disk"),
        ("https://example.org/Debian-12.5.iso", "Debian-12.5"),
    ],
)
def test_the_folder_of_a_url_is_named_after_its_file(url: str, place: str) -> None:
    made = wish(folder(f"/storage/{place}"), file(f"/storage/{place}/data.img"), BOOT=url).spec
    assert made.disks[0].image == f"/storage/{place}/data.img"
    assert wish(BOOT=url).spec.fetch.unverified


def test_a_disk_is_only_made_larger() -> None:
    made = wish(file("/storage/data.img", 10 * GIB), DISK_SIZE="20G")
    assert made.files == (DiskFile(path="/storage/data.img", size=20 * GIB, format="raw"),)
    made = wish(file("/storage/data.img", 10 * GIB), DISK_SIZE="5G")
    assert made.files == ()
    assert "never shrinks" in notes(made)


def test_a_disk_keeps_its_format_and_the_note_says_how_to_convert_it() -> None:
    made = wish(file("/storage/data.img"), DISK_FMT="qcow2")
    assert "qd disk convert /storage/data.img" in notes(made)


def test_a_raw_disk_that_looks_like_another_format_is_refused() -> None:
    with pytest.raises(SpecError) as caught:
        wish(replace(file("/storage/data.img"), format="qcow2"))
    assert "a guest may have written that" in caught.value.reason


def test_further_disks_are_found_made_or_kept_with_the_machine() -> None:
    found = (folder("/storage2"), file("/storage2/data2.img"), folder("/storage3"), file("/disk4.qcow2"))
    made = wish(*found, BOOT="mint", DISK3_SIZE="3G", DISK5_SIZE="5G", DISK_FMT="qcow2")
    images = [(disk.image, disk.in_place, disk.size) for disk in made.spec.disks[1:]]
    assert images == [
        ("/storage2/data2.img", True, None),
        ("/storage3/data3.qcow2", True, None),
        ("/disk4.qcow2", True, None),
        (None, False, 5 * GIB),
    ]
    assert made.files == (DiskFile(path="/storage3/data3.qcow2", size=3 * GIB, format="qcow2"),)


def test_block_devices_are_disks() -> None:
    devices = [FoundFile(path=path, kind=FileKind.BLOCK, size=GIB) for path in ("/disk1", "/dev/disk2")]
    made = wish(*devices, BOOT="none").spec
    assert [(disk.image, disk.in_place, disk.bus) for disk in made.disks] == [("/disk1", True, None), ("/dev/disk2", True, None)]


def test_firmware_variables_tpm_and_address_go_on() -> None:
    home = (folder("/storage/mint"), file("/storage/mint/data.img"), file("/storage/mint/uefi.vars", VARIABLES))
    kept = (file("/storage/mint/uefi.tpm", 9000),)
    made = wish(*home, *kept, texts=(("/storage/mint/qemu.mac", "02:11:32:AA:BB:CC\n"),), BOOT="mint", TPM="Y").spec
    assert (made.firmware, made.firmware_variables) == (Firmware.UEFI, "/storage/mint/uefi.vars")
    assert (made.tpm_state, made.networks[0].mac) == ("/storage/mint/uefi.tpm", "02:11:32:aa:bb:cc")
    assert wish(*home, *kept, BOOT="mint").spec.tpm_state is None
    assert wish(*home, BOOT="mint", BOOT_MODE="legacy").spec.firmware_variables is None


def test_variables_of_another_firmware_are_left_alone() -> None:
    made = wish(file("/storage/data.img"), file("/storage/uefi.vars", 131072))
    assert made.spec.firmware_variables is None
    assert "another kind of firmware" in notes(made)


def test_a_disk_that_only_boots_by_bios_does() -> None:
    assert wish(file("/storage/data.img", bios=True, uefi=False)).spec.firmware is Firmware.BIOS
    assert wish(file("/storage/data.img", bios=True, uefi=True)).spec.firmware is Firmware.AUTO
    assert wish(file("/storage/data.img", bios=True), BOOT_MODE="uefi").spec.firmware is Firmware.UEFI


def test_further_discs_and_the_shared_folder_are_attached() -> None:
    made = wish(file("/start.iso"), file("/drivers.iso"), folder("/shared"), BOOT="mint").spec
    assert [drive.image for drive in made.cdroms] == ["/start.iso", "/drivers.iso"]
    assert made.boot_first == "cdrom"
    assert [(share.path, share.tag) for share in made.shares] == [("/shared", "shared")]


def test_a_spec_keeps_what_it_says_and_variables_go_before_it() -> None:
    text = "boot: arch\nname: box\ndisks: [{size: 8G}]\nviewer: {port: 9000}\nnetworks: [{mode: user}]\n"
    made = wish(texts=(("/machine.yaml", text),), RAM_SIZE="4G").spec
    assert (made.boot, made.name, made.disks[0].size, made.memory) == ("arch", "box", 8 * GIB, 4 * GIB)
    assert (made.viewer.port, made.networks[0].mode, made.networks[0].forward_all) == (9000, "user", False)
    assert wish(texts=(("/machine.yaml", text),), BOOT="mint").spec.boot == "mint"
    assert wish(texts=(("/machine.yaml", "boot: arch\n"),)).spec.disks == ()


def test_a_card_that_is_plugged_in_elsewhere_gets_no_ports() -> None:
    card = wish(texts=(("/machine.yaml", "boot: x\nnetworks: [{mode: tap, interface: tap0}]\n"),), HOST_PORTS="80").spec.networks[0]
    assert (card.ports, card.forward_all, card.keep) == ((), False, ())


def test_a_script_for_the_start_is_answered() -> None:
    assert "scripts are not run" in notes(wish(file("/run/start.sh"), BOOT="mint"))


def test_port_22_is_only_led_where_it_may_be_opened() -> None:
    def ports(lowest: int) -> tuple[str, ...]:
        return read_environment({"BOOT": "mint"}, Found(arch="x86_64", lowest_port=lowest)).spec.networks[0].ports

    assert (ports(0), ports(1024)) == (("0.0.0.0:22:22",), ())


@pytest.mark.parametrize(
    "name",
    [
        "alma",
        "almalinux",
        "alma-linux",
        "alpine",
        "alpinelinux",
        "alpine-linux",
        "arch",
        "archlinux",
        "arch-linux",
        "cachy",
        "cachyos",
        "centos",
        "centosstream",
        "centos-stream",
        "debian",
        "fedora",
        "fedoralinux",
        "fedora-linux",
        "gentoo",
        "gentoolinux",
        "gentoo-linux",
        "kali",
        "kalilinux",
        "kali-linux",
        "kubuntu",
        "lmde",
        "macos",
        "osx",
        "mint",
        "linuxmint",
        "linux-mint",
        "manjaro",
        "mx",
        "mxlinux",
        "mx-linux",
        "nixos",
        "opensuse",
        "open-suse",
        "suse",
        "rocky",
        "rockylinux",
        "rocky-linux",
        "slack",
        "slackware",
        "tails",
        "ubuntu",
        "ubuntu-desktop",
        "ubuntus",
        "ubuntu-server",
        "windows",
        "xubuntu",
        "zima",
        "zorin",
    ],
)
def test_the_catalogue_has_every_name_of_the_old_image(name: str) -> None:
    assert load_catalogue().get(name) is not None
