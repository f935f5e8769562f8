"""From the tar of an installed Debian to a disk, without loop devices and without being root.

The disk is GPT: an EFI system partition (where the architecture has UEFI) and an ext4 root as the last partition, so that
it can grow.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from quarterdeck.core.process import run_async
from quarterdeck.core.report import Reporter, Step, StepStatus
from quarterdeck.errors import MediaError
from quarterdeck.media.debian.overlay import to_tar
from quarterdeck.media.debian.privilege import Privilege
from quarterdeck.media.debian.recipe import ESP_SIZE, LOGIN, VIRTUAL_SIZE, Recipe
from quarterdeck.media.store import Manifest

_MIB = 1 << 20
_SECTOR = 512
_ESP_TYPE = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"
_LINUX_TYPE = "0FC63DAF-8483-4772-8E79-3D69D8477DE4"
_GPT_TAIL = 1 * _MIB
"""Room for the second GPT at the end of the disk."""


@dataclass(frozen=True)
class Partition:
    """A partition: name, GPT type, start and size in bytes."""

    name: str
    type: str
    start: int
    size: int


def partitions(*, uefi: bool) -> tuple[Partition, ...]:
    """Return the partitions of the disk, in order."""
    esp = (Partition("esp", _ESP_TYPE, _MIB, ESP_SIZE),) if uefi else ()
    start = _MIB + (ESP_SIZE if uefi else 0)
    return (*esp, Partition("root", _LINUX_TYPE, start, VIRTUAL_SIZE - start - _GPT_TAIL))


def sfdisk_script(parts: tuple[Partition, ...]) -> str:
    """Return the input of sfdisk(8)."""
    lines = [f'start={part.start // _SECTOR}, size={part.size // _SECTOR}, type={part.type}, name="{part.name}"' for part in parts]
    return "\n".join(["label: gpt", "unit: sectors", *lines, ""])


async def assemble(recipe: Recipe, privilege: Privilege, *, tar: Path, work: Path, folder: Path, report: Reporter) -> Manifest:
    """Make ``disk.qcow2``, ``vmlinuz`` and ``initrd.img`` in ``folder`` from ``tar``, with ``work`` for what is in between.

    Raises:
        MediaError: the tar holds no kernel, or no boot loader.
        ProcessError: a program failed.
    """
    title = f"Debian {recipe.suite} for {recipe.arch.name}"
    report(Step("image", StepStatus.RUNNING, f"{title}: unpacking the system"))
    root, raw = work / "root", work / "disk.raw"
    await _unpack(recipe, privilege, tar=tar, root=root)
    kernel, initrd = await _kernel(root)
    await privilege.run(["cp", "--reflink=auto", kernel, folder / "vmlinuz"])
    await privilege.run(["cp", "--reflink=auto", initrd, folder / "initrd.img"])
    report(Step("image", StepStatus.RUNNING, f"{title}: making the disk"))
    await _partition(raw, partitions(uefi=recipe.uefi))
    if recipe.uefi:
        await _fill_esp(recipe, privilege, root=root, raw=raw)
    await _fill_root(recipe, privilege, root=root, raw=raw)
    report(Step("image", StepStatus.RUNNING, f"{title}: packing the disk"))
    await run_async(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", "-o", "compat=1.1,lazy_refcounts=off", raw, folder / "disk.qcow2"])
    return manifest(recipe)


def manifest(recipe: Recipe) -> Manifest:
    """Return what :func:`assemble` makes of ``recipe``."""
    return Manifest(
        disk="disk.qcow2",
        virtual_size=VIRTUAL_SIZE,
        kernel="vmlinuz",
        initrd="initrd.img",
        cmdline=recipe.cmdline,
        uefi=recipe.uefi,
        bios=False,
        login=LOGIN,
        origin=f"Debian {recipe.suite} for {recipe.arch.name}, made from {recipe.mirror.main}",
    )


async def _unpack(recipe: Recipe, privilege: Privilege, *, tar: Path, root: Path) -> None:
    late = root.with_name("late.tar")
    await asyncio.to_thread(root.mkdir)
    await asyncio.to_thread(late.write_bytes, to_tar(recipe.late))
    options: list[str | Path] = ["--numeric-owner", "--same-permissions", "--same-owner", "--xattrs", "--xattrs-include=*", "-C", root]
    # Device nodes cannot be made in a user namespace; the guest's kernel makes them anyway.
    await privilege.run(["tar", "-xf", tar, "--exclude=./dev/*", *options])
    await privilege.run(["tar", "-xf", late, *options])
    await privilege.run(["chmod", "0755", root])
    await asyncio.to_thread(tar.unlink)


async def _kernel(root: Path) -> tuple[Path, Path]:
    """Return the kernel and its initial RAM disk."""
    boot = root / "boot"
    kernels = await asyncio.to_thread(lambda: sorted(boot.glob("vmlinu[xz]-*")))
    if not kernels:
        raise MediaError("debian-without-kernel", "no kernel was installed", hint="try another suite, such as debian:sid")
    version = kernels[-1].name.partition("-")[2]
    return kernels[-1], boot / f"initrd.img-{version}"


async def _partition(raw: Path, parts: tuple[Partition, ...]) -> None:
    await run_async(["truncate", f"--size={VIRTUAL_SIZE}", raw])
    await run_async(["sfdisk", "--quiet", "--no-reread", "--no-tell-kernel", raw], input=sfdisk_script(parts).encode())


async def _fill_esp(recipe: Recipe, privilege: Privilege, *, root: Path, raw: Path) -> None:
    """The loader lies where firmware looks on removable disks, and where bootctl updates it."""
    part = partitions(uefi=True)[0]
    image = f"{raw}@@{part.start}"
    esp = root / "boot/efi"
    loader = await asyncio.to_thread(_loader, root, recipe.arch.efi_boot_file)
    await run_async(
        ["mformat", "-i", image, "-F", "-v", "ESP", "-N", recipe.ids.esp, "-T", str(part.size // _SECTOR), "-h", "64", "-s", "32", "::"]
    )
    for file in (f"EFI/BOOT/{recipe.arch.efi_boot_file}", f"EFI/systemd/{loader.name.removesuffix('.signed')}"):
        await privilege.run(["install", "-D", loader, esp / file])
    await privilege.run(["install", "-d", esp / "loader/entries"])
    (root.with_name("loader.conf")).write_text("timeout 0\nconsole-mode keep\n")
    await privilege.run(["install", "-m", "0644", root.with_name("loader.conf"), esp / "loader/loader.conf"])
    names = await asyncio.to_thread(lambda: sorted(esp.iterdir()))
    await privilege.run(["mcopy", "-i", image, "-s", "-Q", "-m", *names, "::/"])
    await privilege.run(["find", esp, "-mindepth", "1", "-delete"])


def _loader(root: Path, boot_file: str) -> Path:
    """Return systemd-boot; the signed one where there is no other, which firmware without Secure Boot takes as well."""
    short = boot_file.removeprefix("BOOT").removesuffix(".EFI").lower()
    folder = root / "usr/lib/systemd/boot/efi"
    for name in (f"systemd-boot{short}.efi", f"systemd-boot{short}.efi.signed"):
        if (folder / name).is_file():
            return folder / name
    raise MediaError("debian-without-loader", f"the suite has no boot loader {boot_file}", hint="choose a newer suite, such as debian:sid")


async def _fill_root(recipe: Recipe, privilege: Privilege, *, root: Path, raw: Path) -> None:
    """Inode tables are written now (they stay sparse), so that no guest does it in its first minutes."""
    part = partitions(uefi=recipe.uefi)[-1]
    extended = f"offset={part.start},lazy_itable_init=0,lazy_journal_init=0,nodiscard"
    await privilege.run(
        [
            *("mke2fs", "-q", "-F", "-t", "ext4", "-m", "1", "-L", "root", "-U", recipe.ids.root, "-E", extended),
            *("-d", root, raw, f"{part.size // 1024}k"),
        ]
    )
    await privilege.remove(root)
