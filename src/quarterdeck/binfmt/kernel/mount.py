"""Mounts binfmt_misc where it is not, and only where what is registered will stay.

Since Linux 6.7 an instance lives as long as it is mounted somewhere. A container that mounts it itself therefore registers things
that are gone when it ends, unless the host holds the same instance. That is found out before anything is registered.
"""

from __future__ import annotations

import ctypes
import errno
import os
import time
from dataclasses import dataclass
from pathlib import Path

from quarterdeck.binfmt.kernel.instance import (
    FIX_BINARY_SINCE,
    Built,
    Instance,
    Kind,
    created,
    device,
    in_first_user_namespace,
    probe_instance,
    sees_host,
    shares_mounts_with_first_process,
)
from quarterdeck.binfmt.kernel.refusal import PRIVILEGED, WITHOUT_ROOT
from quarterdeck.core import process
from quarterdeck.errors import HostError, QuarterdeckError
from quarterdeck.host.binfmt_misc import FOLDER

_TYPE = "binfmt_misc"
_COARSE_CLOCK = 5
"""CLOCK_REALTIME_COARSE of clock_gettime(2): the kernel stamps files by it, so it never runs ahead of a stamp."""
_TIMEOUT = 20.0
_PINNED = "before Linux 6.7, entries stay without a mount"


@dataclass(frozen=True)
class Mounted:
    """How it came to be mounted: by us just now or before, and why what is registered will stay, in one line."""

    instance: Instance
    by_us: bool
    reason: str


def ensure_mounted(folder: Path = FOLDER) -> Mounted:
    """Mount binfmt_misc if it is not, and make sure that what is registered in it stays registered.

    Raises:
        HostError: it cannot be mounted, cannot be written to, or would lose everything when this container ends;
            the hint says how to go on.
    """
    instance = probe_instance(folder)
    _check_place(instance)
    by_us = not instance.mounted
    if by_us:
        reason = _mount_to_stay(instance, folder)
        instance = probe_instance(folder)
    else:
        reason = _why_it_stays(instance, folder)
    _check_writable(instance)
    return Mounted(instance, by_us, reason)


def refuse_inherited(folder: Path = FOLDER) -> None:
    """Make sure that the entries are not the host's, seen from a user namespace; its root can write to them when it has the host's ids.

    Raises:
        HostError: they are.
    """
    if probe_instance(folder).kind is Kind.INHERITED:
        hint = "on the host, as root: qd binfmt uninstall WHAT"
        what = "the host's emulators are not removed from inside a user namespace"
        raise HostError("binfmt-user-namespace", what, reason="the entries seen here are the host's", hint=hint)


def load_module() -> None:
    """Load the kernel module.

    Raises:
        HostError: it cannot be loaded.
    """
    try:
        process.run(["modprobe", _TYPE], timeout=_TIMEOUT)
    except QuarterdeckError as error:
        reason = error.reason or error.message
        hint = "on the host, as root: modprobe binfmt_misc"
        raise HostError("binfmt-missing", "the kernel's module binfmt_misc cannot be loaded", reason=reason, hint=hint) from None


def mount(folder: Path = FOLDER) -> None:
    """Mount this user namespace's instance, which the first mount makes.

    Raises:
        HostError: the kernel refused it.
    """
    if _libc().mount(_TYPE.encode(), os.fsencode(folder), _TYPE.encode(), 0, None) != 0:
        raise _mount_refused(folder, ctypes.get_errno())


def unmount(folder: Path = FOLDER) -> None:
    """Undo :func:`mount`; the entries of an instance that nobody else has mounted go with it.

    Raises:
        HostError: the kernel refused it.
    """
    if _libc().umount2(os.fsencode(folder), 0) != 0:
        raise HostError("binfmt-busy", f"{folder} cannot be unmounted", reason=os.strerror(ctypes.get_errno()))


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _mount_refused(folder: Path, number: int) -> HostError:
    reasons = {
        errno.EPERM: "only root may mount, with CAP_SYS_ADMIN",
        errno.EACCES: "/proc is read-only here or a security module forbids it",
        errno.EROFS: "/proc is read-only here",
        errno.ENODEV: "this kernel is built without it",
        errno.ENOENT: f"there is no {folder}: /proc is not mounted, or the module is not loaded",
    }
    hint = PRIVILEGED if os.geteuid() == 0 else WITHOUT_ROOT
    what = f"binfmt_misc cannot be mounted on {folder}"
    return HostError("binfmt-not-mounted", what, reason=reasons.get(number, os.strerror(number)), hint=hint)


def _check_place(instance: Instance) -> None:
    """Refuse before a mount makes an empty instance that hides the host's from then on."""
    if (0, 0) < instance.kernel < FIX_BINARY_SINCE:
        reason = "before Linux 4.8 there is no flag F, without which emulators do not work in containers"
        raise HostError("binfmt-old-kernel", "this kernel is too old", reason=reason, hint="use Linux 4.8 or newer")
    if not instance.mounted and instance.built is not Built.YES:
        if instance.built is Built.NO and instance.container == "":
            hint = "use a kernel with CONFIG_BINFMT_MISC"
            raise HostError("binfmt-missing", "this kernel has no binfmt_misc", reason="neither built in nor as a module", hint=hint)
        load_module()
    if not instance.mounted and not in_first_user_namespace():
        raise _in_user_namespace("mounting it here would hide the host's emulators, and lose its entries when the mount ends")
    if instance.kind is Kind.INHERITED:
        raise _in_user_namespace("the entries seen here are the host's")


def _in_user_namespace(reason: str) -> HostError:
    what = "emulators cannot be registered for good from inside a user namespace, such as a rootless container"
    hint = "on the host, as root: qd binfmt install; or without root, for one command: qd binfmt run --arch ARCH -- COMMAND"
    return HostError("binfmt-user-namespace", what, reason=reason, hint=hint)


def _check_writable(instance: Instance) -> None:
    if instance.writable:
        return
    what = "the kernel's registry of emulators cannot be changed"
    if os.geteuid() != 0:
        raise HostError("binfmt-permission", what, reason="only root may change it", hint=WITHOUT_ROOT)
    raise HostError("binfmt-read-only", what, reason=f"{instance.folder} is read-only here", hint=PRIVILEGED)


def _mount_to_stay(instance: Instance, folder: Path) -> str:
    """Mount it and return why it stays; where it would not, mount it on the host too, or undo the mount and say so."""
    before = time.clock_gettime(_COARSE_CLOCK)
    mount(folder)
    try:
        return _why_a_new_mount_stays(instance, folder, before)
    except BaseException:
        unmount(folder)
        raise


def _why_a_new_mount_stays(instance: Instance, folder: Path, before: float) -> str:
    if not instance.sandboxed:
        return _PINNED
    if sees_host():
        return _kept_on_host(folder)
    if created(folder) < before:
        return "something outside this container has it mounted too"
    raise _would_be_lost()


def _why_it_stays(instance: Instance, folder: Path) -> str:
    """Return why entries of an instance that was mounted before stay.

    Raises:
        HostError: nothing says that they do.
    """
    if not instance.sandboxed:
        return _PINNED
    if instance.kind is Kind.OWN:
        return "they stay as long as this user namespace's mount does"
    if sees_host():
        return _kept_on_host(folder)
    if created(folder) < _container_started():
        return "it is older than this container, so something outside holds it"
    raise _would_be_lost()


def _kept_on_host(folder: Path) -> str:
    """Mount it in the namespace of the host's process 1, unless we are there, or it is there."""
    if shares_mounts_with_first_process() or _host_holds(folder):
        return "it is mounted on the host"
    _mount_on_host()
    if not _host_holds(folder):
        raise _would_be_lost()
    return "it was mounted on the host too"


def _host_holds(folder: Path) -> bool:
    own = device(_TYPE, folder)
    return bool(own) and own == device(_TYPE, FOLDER, process="1")


def _mount_on_host() -> None:
    """Mount it in the namespace of process 1, which is the host's; looking there makes systemd's automount do it."""
    enter = ["nsenter", "--target", "1", "--mount", "--"]
    status = str(FOLDER / "status")
    try:
        if process.run([*enter, "cat", status], check=False, timeout=_TIMEOUT).returncode != 0:
            process.run([*enter, "mount", "-t", _TYPE, _TYPE, str(FOLDER)], timeout=_TIMEOUT)
    except QuarterdeckError as error:
        raise _would_be_lost(f"; mounting it on the host failed: {error.reason or error.message}") from None


def _container_started() -> float:
    """Return when process 1 of this container started, in seconds since the epoch. Source: proc_pid_stat(5), field 22."""
    fields = Path("/proc/1/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    ticks = int(fields[19]) / os.sysconf("SC_CLK_TCK")
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) + ticks


def _would_be_lost(more: str = "") -> HostError:
    reason = f"since Linux 6.7 its entries are gone when the last mount is, and only this container has it mounted{more}"
    hint = (
        f"on the host, once: mount -t binfmt_misc binfmt_misc {FOLDER} (with systemd: ls {FOLDER}), then again; "
        "or give the container --pid=host"
    )
    return HostError("binfmt-would-be-lost", "what is registered here would be lost when this container ends", reason=reason, hint=hint)
