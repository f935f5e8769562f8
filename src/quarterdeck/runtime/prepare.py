"""Everything that must be there before QEMU starts: folders, disks, firmware variables, seed."""

from __future__ import annotations

import asyncio
import os
import shutil
import stat
from pathlib import Path

from quarterdeck.core import fs
from quarterdeck.core.process import Identity, run
from quarterdeck.core.report import Reporter, Step, StepStatus
from quarterdeck.core.size import format_size
from quarterdeck.errors import HostError, UsageError
from quarterdeck.machine.resolved import DiskOrigin, ResolvedDisk, ResolvedFirmware, ResolvedMachine
from quarterdeck.machine.spec import MachineSpec
from quarterdeck.media import disk as images
from quarterdeck.media.seed import write_seed
from quarterdeck.provision.cloud_init import FirstBoot, FirstBootFile
from quarterdeck.provision.ignition import ignition_config
from quarterdeck.runtime import secrets, spice
from quarterdeck.runtime.logs import open_regular


async def prepare(resolved: ResolvedMachine, spec: MachineSpec, login: str, report: Reporter) -> None:
    """Make what QEMU will open. May be repeated: what exists stays.

    ``login`` is the user that the first boot makes.

    Raises:
        HostError: no space, or QEMU's user cannot reach the machine's folder.
        MediaError: a disk cannot be made.
        UsageError: the spec's UEFI variables do not fit the firmware.
    """
    report(Step("disk", StepStatus.RUNNING))
    layout, identity = resolved.layout, resolved.identity
    make_folder(layout.vm, identity)
    if identity is not None:
        check_reachable(layout.vm, identity)
    for disk in resolved.disks:
        await _make_disk(disk, identity)
    if resolved.firmware is not None and resolved.firmware.variables:
        await asyncio.to_thread(_copy_variables, resolved.firmware, identity)
    if resolved.tpm:
        make_folder(layout.tpm, identity)
        if resolved.tpm_state:
            await asyncio.to_thread(_copy_state, Path(resolved.tpm_state), layout.tpm_file, identity)
    if resolved.display.tls:
        make_folder(layout.spice, identity)
        await asyncio.to_thread(spice.copy_certificates, Path(resolved.display.tls), layout.spice, identity)
    if resolved.seed:
        await asyncio.to_thread(_make_seed, resolved, spec, login)
    if resolved.ignition:
        await asyncio.to_thread(_make_ignition, resolved, spec, login)
    report(Step("disk", StepStatus.DONE, _summary(resolved)))


def make_folder(path: Path, identity: Identity | None) -> None:
    """Make a folder of mode 0700 that belongs to QEMU's user."""
    path.mkdir(mode=0o700, exist_ok=True)
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        owner = os.fstat(handle).st_uid
        if identity is not None and owner != identity.uid:
            _give(handle, identity)
        os.fchmod(handle, 0o700)
    finally:
        os.close(handle)


def _give(folder: int, identity: Identity) -> None:
    """Hand a folder with all plain files and folders in it to another user, never through a link."""
    os.fchown(folder, identity.uid, identity.gid)
    for root, folders, files, handle in os.fwalk(".", dir_fd=folder, follow_symlinks=False):
        del root
        for name in (*folders, *files):
            os.chown(name, identity.uid, identity.gid, dir_fd=handle, follow_symlinks=False)


def check_reachable(folder: Path, identity: Identity) -> None:
    """Make sure that QEMU's user can walk to ``folder``.

    Raises:
        HostError: a folder on the way is closed to it.
    """
    for parent in folder.parents:
        status = parent.stat()
        if not _may_pass(status, identity):
            raise HostError(
                "folder-closed",
                f"QEMU's user {identity.uid} cannot enter {parent}",
                reason=f"its mode is {stat.S_IMODE(status.st_mode):04o}",
                hint=f"chmod o+x {parent}, or set QUARTERDECK_HOME to another folder",
            )


def _may_pass(status: os.stat_result, identity: Identity) -> bool:
    if status.st_uid == identity.uid:
        return bool(status.st_mode & stat.S_IXUSR)
    if status.st_gid in (identity.gid, *identity.groups):
        return bool(status.st_mode & stat.S_IXGRP)
    return bool(status.st_mode & stat.S_IXOTH)


async def _make_disk(disk: ResolvedDisk, identity: Identity | None) -> None:
    path = Path(disk.path)
    if disk.origin is DiskOrigin.IN_PLACE or _exists(path):
        return
    if disk.origin is DiskOrigin.OVERLAY:
        assert disk.base is not None
        await images.create_overlay(path, Path(disk.base.path), disk.base.format, size=disk.size)
    else:
        await images.create_blank(path, disk.format, size=disk.size, preallocate=disk.preallocate, options=disk.format_options)
    _own(path, identity)


def _copy_variables(firmware: ResolvedFirmware, identity: Identity | None) -> None:
    """Make the machine's own UEFI variables from the template that belongs to the firmware, or what the spec names."""
    if firmware.begins_as:
        _check_same_size(Path(firmware.begins_as), Path(firmware.variables_template))
    _copy_state(Path(firmware.begins_as or firmware.variables_template), Path(firmware.variables), identity)


def _check_same_size(given: Path, template: Path) -> None:
    """Firmware finds its variables at a fixed place in its flash: those of a build with another size would be garbage to it."""
    try:
        sizes = given.stat().st_size, template.stat().st_size
    except OSError as error:
        raise HostError("state-unreadable", f"{error.filename} cannot be read", reason=error.strerror or "") from error
    if sizes[0] != sizes[1]:
        raise UsageError(
            "firmware-variables-size",
            f"{given} does not fit the firmware",
            reason=f"it has {sizes[0]} bytes, and the firmware's variables have {sizes[1]}",
            hint="remove 'firmware_variables'; the machine then begins with new ones",
        )


def _copy_state(source: Path, target: Path, identity: Identity | None) -> None:
    """Begin ``target`` as ``source``, which is not written; what is there already stays."""
    if os.path.lexists(target):
        return
    try:
        content = source.read_bytes()
    except OSError as error:
        raise HostError("state-unreadable", f"{source} cannot be read", reason=error.strerror or "") from error
    try:
        fs.write_atomic(target, content, mode=0o600)
    except OSError as error:
        raise HostError("state-not-written", f"{target} cannot be written", reason=error.strerror or "") from error
    _own(target, identity)


def _make_seed(resolved: ResolvedMachine, spec: MachineSpec, login: str) -> None:
    write_seed(resolved.layout.seed, first_boot(resolved, spec, login))
    _own(resolved.layout.seed, resolved.identity)


def _make_ignition(resolved: ResolvedMachine, spec: MachineSpec, login: str) -> None:
    boot = first_boot(resolved, spec, login)
    hashed = None if boot.password is None else password_hash(boot.password)
    try:
        fs.write_atomic(resolved.layout.ignition, ignition_config(boot, password_hash=hashed).encode(), mode=0o600)
    except OSError as error:
        raise HostError("ignition-not-written", f"{resolved.layout.ignition} cannot be written", reason=error.strerror or "") from error
    _own(resolved.layout.ignition, resolved.identity)


def password_hash(password: str) -> str:
    """Return ``password`` as crypt(5) has it, with SHA-512 and a salt.

    Raises:
        HostError: openssl is not installed.
    """
    return run(["openssl", "passwd", "-6", "-stdin"], input=f"{password}\n".encode()).text.strip()


def first_boot(resolved: ResolvedMachine, spec: MachineSpec, login: str) -> FirstBoot:
    """Return what the seed tells the guest; makes the password where the user gave neither one nor a key."""
    wanted = spec.provision
    generated = None if wanted.ssh_keys else secrets.password(resolved.layout)
    return FirstBoot(
        hostname=wanted.hostname or resolved.name.replace(".", "-").replace("_", "-"),
        user=login,
        instance_id=resolved.uuid,
        password=wanted.password or generated,
        ssh_keys=wanted.ssh_keys,
        packages=wanted.packages,
        files=tuple(FirstBootFile(path=file.path, content=file.content, owner=file.owner, mode=file.mode) for file in wanted.files),
        commands=wanted.commands,
        macs=tuple(network.mac for network in resolved.networks),
        user_data=wanted.user_data or "",
        vendor_data=wanted.vendor_data or "",
        network_config=wanted.network_config or "",
    )


def _exists(path: Path) -> bool:
    return os.path.lexists(path)


def _own(path: Path, identity: Identity | None) -> None:
    """Give a file to QEMU's user, never through a link that an earlier run may have left there."""
    handle = open_regular(path)
    try:
        os.fchmod(handle, 0o600)
        if identity is not None:
            os.fchown(handle, identity.uid, identity.gid)
    finally:
        os.close(handle)


def _summary(resolved: ResolvedMachine) -> str:
    if not resolved.disks:
        return "none"
    sizes = ", ".join(format_size(disk.size) for disk in resolved.disks)
    free = format_size(shutil.disk_usage(resolved.layout.root).free)
    return f"{sizes}; {free} free on the host"
