"""The architecture table against the emulators and packages that are installed here."""

import json
import re
from pathlib import Path
from typing import Any, Literal

import pytest

from quarterdeck.core import process
from quarterdeck.core.arch import ARCHES, Arch, find_arch
from quarterdeck.host.qemu import parse_version

pytestmark = pytest.mark.integration

SYSTEMS = [arch for arch in ARCHES if arch.system]
QMP = b'{"execute":"qmp_capabilities"}{"execute":"query-status"}{"execute":"quit"}'
NO_FIRMWARE = {"riscv32": ["-bios", "none"]}
"""Debian does not package OpenSBI for 32-bit RISC-V."""


NO_VIRTIO = {"sparc"}
OTHER_BUS = {"sparc64": ",bus=pciB"}
"""QEMU's own choice has no free slot there."""
OLD_NUMBERS = {"microblaze", "microblazeel"}
"""Debian registers the number that compilers wrote before 189 was assigned."""


def emulator(arch: Arch) -> Any:
    path = process.find(f"qemu-system-{arch.system}")
    if path is None:
        pytest.skip(f"qemu-system-{arch.system} is not installed")
    return path


def version_of(path: str) -> tuple[int, int, int]:
    version = parse_version(ask(path, "--version"))
    assert version is not None
    return version


def ask(*argv: Any) -> Any:
    done = process.run(argv, check=False, timeout=60)
    return (done.stdout + done.stderr).decode()


@pytest.mark.parametrize("arch", SYSTEMS, ids=lambda arch: arch.name)
def test_qemu_knows_the_machine_type_and_devices(arch: Arch) -> None:
    path = emulator(arch)
    assert arch.machine_type(version_of(path)) in {
        line.split()[0] for line in ask(path, "-machine", "help").splitlines()[1:] if line.strip()
    }
    devices = set(re.findall(r'^name "([^"]+)"', ask(path, "-device", "help"), re.MULTILINE))
    wanted = {f"virtio-{kind}-{arch.bus}" for kind in ("blk", "net", "rng", "serial", "balloon")} if arch.name not in NO_VIRTIO else set()
    wanted |= {"qemu-xhci", "usb-tablet", "usb-kbd"} if arch.usb else set()
    wanted |= {arch.display_device} if arch.display_device else set()
    assert wanted <= devices


@pytest.mark.parametrize("arch", SYSTEMS, ids=lambda arch: arch.name)
def test_qemu_starts_the_machine_with_its_processor_and_devices(arch: Arch) -> None:
    bus = OTHER_BUS.get(arch.name, "")
    devices = [f"virtio-rng-{arch.bus}{bus}"] if arch.name not in NO_VIRTIO else []
    devices += [f"{arch.display_device}{bus}"] if arch.display_device else []
    devices += [f"qemu-xhci{bus}", "usb-tablet"] if arch.usb else []
    path = emulator(arch)
    argv = [path, "-nodefaults", "-display", "none", "-accel", "tcg", "-S", "-qmp", "stdio"]
    argv += ["-machine", arch.machine_type(version_of(path)), "-cpu", arch.tcg_cpu, *NO_FIRMWARE.get(arch.name, [])]
    done = process.run([*argv, *(word for device in devices for word in ("-device", device))], input=QMP, timeout=60)
    answers = [json.loads(line).get("return") for line in done.text.splitlines()]
    assert any(isinstance(answer, dict) and answer.get("status") == "prelaunch" for answer in answers), done.stderr


def test_debian_knows_its_names() -> None:
    path = process.find("dpkg-architecture")
    if path is None:
        pytest.skip("dpkg-architecture (dpkg-dev) is not installed")
    known = set(process.run([path, "-L"]).text.split())
    assert {arch.debian for arch in ARCHES if arch.debian} <= known


@pytest.mark.parametrize("name", ["x86_64", "i386", "aarch64", "arm", "riscv64", "ppc64le", "s390x", "mips64el"])
def test_debian_has_the_package_of_the_emulator(name: str) -> None:
    arch = find_arch(name)
    dpkg = process.find("dpkg-query")
    if dpkg is None or process.find(f"qemu-system-{arch.system}") is None:
        pytest.skip(f"not Debian, or qemu-system-{arch.system} is not installed")
    owner = ask(dpkg, "--search", f"/usr/bin/qemu-system-{arch.system}").partition(":")[0]
    assert owner in (arch.package, arch.package_debian13)


def registrations() -> Any:
    """Return name, magic and mask of the emulators that Debian would register with the kernel."""
    for file in sorted(Path("/usr/lib/binfmt.d").glob("qemu-*.conf")):
        fields = file.read_text(encoding="ascii").strip().split(":")
        magic, mask = (field.encode().decode("unicode_escape").encode("latin-1") for field in fields[4:6])
        yield fields[1].removeprefix("qemu-"), magic, mask


def test_elf_headers_are_those_that_debian_registers() -> None:
    found = list(registrations())
    if not found:
        pytest.skip("qemu-user-static or qemu-user-binfmt is not installed")
    by_user = {arch.user: arch.elf for arch in ARCHES if arch.user}
    for name, magic, mask in found:
        if name not in by_user or name in OLD_NUMBERS:
            continue
        elf = by_user[name]
        order: Literal["little", "big"] = "little" if elf.little else "big"
        assert magic[4] == elf.bits // 32, name
        assert magic[5] == (1 if elf.little else 2), name
        difference = int.from_bytes(magic[18:20], order) ^ elf.machine
        assert difference & int.from_bytes(mask[18:20], order) == 0, name
        if elf.flags_mask:
            at = 36 if elf.bits == 32 else 48
            assert int.from_bytes(mask[at : at + 4], order) == elf.flags_mask, name
            assert int.from_bytes(magic[at : at + 4], order) == elf.flags, name


@pytest.mark.parametrize("arch", [arch for arch in ARCHES if arch.user], ids=lambda arch: arch.name)
def test_the_user_emulator_has_that_name(arch: Arch) -> None:
    if process.find("qemu-x86_64-static") is None and process.find("qemu-x86_64") is None:
        pytest.skip("no user-mode emulator is installed")
    assert process.find(f"qemu-{arch.user}-static") or process.find(f"qemu-{arch.user}")


@pytest.mark.parametrize("arch", [arch for arch in ARCHES if arch.firmware], ids=lambda arch: arch.name)
def test_installed_firmware_packages_have_the_files(arch: Arch) -> None:
    dpkg = process.find("dpkg-query")
    if dpkg is None:
        pytest.skip("not Debian")
    for package in sorted({pair.package for pair in arch.firmware}):
        files = set(process.run([dpkg, "--listfiles", package], check=False).text.splitlines())
        if files:
            assert any(pair.code in files and (not pair.variables or pair.variables in files) for pair in arch.firmware), package
