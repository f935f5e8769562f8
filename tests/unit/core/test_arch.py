import itertools
from typing import Any

import pytest

from quarterdeck.core.arch import ARCHES, Arch, Bus, FirmwareKind, find_arch, runs_natively
from quarterdeck.errors import UsageError

SYSTEMS = [arch for arch in ARCHES if arch.system]


def names_of(arch: Arch) -> Any:
    return {name for name in (arch.name, *arch.aliases, arch.debian, arch.oci) if name}


def test_no_two_architectures_share_a_name() -> None:
    for one, other in itertools.combinations(ARCHES, 2):
        assert not names_of(one) & names_of(other), (one.name, other.name)


def test_no_two_architectures_share_a_user_emulator() -> None:
    users = [arch.user for arch in ARCHES if arch.user]
    assert len(users) == len(set(users))


def test_no_two_elf_headers_match_the_same_program() -> None:
    for one, other in itertools.combinations([arch.elf for arch in ARCHES if arch.user], 2):
        common = one.flags_mask & other.flags_mask
        same = (one.bits, one.little, one.machine) == (other.bits, other.little, other.machine)
        assert not same or one.flags & common != other.flags & common


@pytest.mark.parametrize("arch", ARCHES, ids=lambda arch: arch.name)
def test_elf_headers_are_well_formed(arch: Arch) -> None:
    assert arch.elf.bits in (32, 64)
    assert 0 < arch.elf.machine < 0x10000
    assert arch.elf.flags & ~arch.elf.flags_mask == 0


@pytest.mark.parametrize("arch", ARCHES, ids=lambda arch: arch.name)
def test_every_name_leads_back_to_its_architecture(arch: Arch) -> None:
    for name in names_of(arch):
        assert find_arch(name) is arch
        assert find_arch(f" {name.upper()} ") is arch


@pytest.mark.parametrize("arch", SYSTEMS, ids=lambda arch: arch.name)
def test_a_system_emulator_comes_with_all_that_a_machine_needs(arch: Arch) -> None:
    assert arch.package
    assert arch.machine
    assert arch.tcg_cpu
    assert arch.serial_console


@pytest.mark.parametrize("arch", [arch for arch in ARCHES if not arch.system], ids=lambda arch: arch.name)
def test_without_a_system_emulator_there_is_no_machine(arch: Arch) -> None:
    assert not any((arch.package, arch.machine, arch.firmware, arch.display_device, arch.serial_console, arch.kvm_flags))


@pytest.mark.parametrize("arch", ARCHES, ids=lambda arch: arch.name)
def test_firmware_is_consistent(arch: Arch) -> None:
    for pair in arch.firmware:
        assert pair.code.startswith("/")
        assert pair.package
        assert bool(pair.variables) == (pair.kind is not FirmwareKind.BIOS)
    if any(pair.kind is FirmwareKind.UEFI for pair in arch.firmware):
        assert arch.efi_boot_file.startswith("BOOT")
        assert arch.efi_boot_file.endswith(".EFI")


def test_oci_names_are_platforms() -> None:
    for arch in ARCHES:
        if arch.oci:
            system, *rest = arch.oci.split("/")
            assert system == "linux"
            assert len(rest) in (1, 2)


def test_runs_on_names_architectures_of_the_table() -> None:
    for arch in ARCHES:
        for host in arch.runs_on:
            assert find_arch(host).name == host


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("linux/arm64/v8", "aarch64"),
        ("amd64", "x86_64"),
        ("linux/arm", "arm"),
        ("ppc64el", "ppc64le"),
        ("i686", "i386"),
        ("loong64", "loongarch64"),
    ],
)
def test_names_of_other_worlds_are_known(name: str, expected: str) -> None:
    assert find_arch(name).name == expected


@pytest.mark.parametrize(("wrong", "close"), [("aarch46", "aarch64"), ("x86-46", "x86-64"), ("risc64", "riscv64")])
def test_a_misspelt_name_gets_the_close_one_as_hint(wrong: str, close: str) -> None:
    with pytest.raises(UsageError) as caught:
        find_arch(wrong)
    assert caught.value.key == "unknown-arch"
    assert close in caught.value.hint


def test_a_strange_name_gets_the_list_as_hint() -> None:
    with pytest.raises(UsageError) as caught:
        find_arch("\N{SNOWMAN}")
    assert "x86_64" in caught.value.hint


def test_native_means_same_processor_or_a_compatible_one() -> None:
    x86, i386, arm64 = find_arch("x86_64"), find_arch("i386"), find_arch("aarch64")
    assert runs_natively(x86, x86)
    assert runs_natively(i386, x86)
    assert not runs_natively(x86, i386)
    assert not runs_natively(arm64, x86)


def test_a_renamed_machine_type_follows_the_version_of_qemu() -> None:
    hppa = find_arch("hppa")
    assert hppa.machine_type((7, 2, 22)) == "hppa"
    assert hppa.machine_type((10, 0, 13)) == "B160L"
    assert find_arch("x86_64").machine_type((10, 0, 13)) == "q35"


def test_only_s390x_uses_ccw_devices() -> None:
    assert [arch.name for arch in ARCHES if arch.bus is Bus.CCW] == ["s390x"]
