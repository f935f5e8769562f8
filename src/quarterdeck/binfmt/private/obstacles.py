"""Why a private binfmt_misc cannot be had here, in words and with a way out.

Sources: user_namespaces(7), mount(2), Documentation/admin-guide/binfmt-misc.rst of Linux and fs/binfmt_misc.c of Linux 6.7 (errors).
"""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path

from quarterdeck.binfmt.kernel.registration import Registration
from quarterdeck.core import process
from quarterdeck.errors import HostError
from quarterdeck.host.binfmt_misc import FOLDER
from quarterdeck.host.check import Status
from quarterdeck.host.checks import userns
from quarterdeck.host.container import container
from quarterdeck.host.distribution import install_hint

_SINCE = (6, 7)
_MESSAGE = "no private binfmt_misc can be made here"
_HOST_WIDE = "'qd binfmt install' as root registers emulators for the whole host"


def find_program(name: str) -> str:
    """Return the path of a program of util-linux.

    Raises:
        HostError: it is not installed.
    """
    path = process.find(name)
    if path is None:
        raise HostError("program-missing", f"{name} is not installed", hint=install_hint("util-linux"))
    return path


def cannot_unshare(words: str) -> HostError:
    """Return why unshare(1), which said ``words``, made no namespace."""
    limits = userns.kernel_check(Path("/"))
    if limits.status is not Status.OK:
        return HostError("userns-forbidden", _MESSAGE, reason=f"user namespaces: {limits.detail}", hint=limits.fix or _HOST_WIDE)
    in_container = "start the container with a seccomp profile that allows unshare and mount"
    hint = in_container if container() else f"leave the chroot, if this is one: the kernel makes none there; {_HOST_WIDE}"
    return HostError("userns-forbidden", _MESSAGE, reason=words or "unshare(1) ended without a word", hint=hint)


def cannot_mount(number: int, release: str = "") -> HostError:
    """Return why mounting binfmt_misc in the namespace gave error ``number`` under kernel ``release`` (default: this one)."""
    release = release or os.uname().release
    if number in (errno.EPERM, errno.EINVAL) and older(release):
        hint = f"upgrade to Linux 6.7 or newer; {_HOST_WIDE}"
        return HostError("kernel-too-old", _MESSAGE, reason=f"Linux {release} has one binfmt_misc for all; 6.7 is needed", hint=hint)
    if number == errno.ENODEV:
        return HostError("no-binfmt-misc", _MESSAGE, reason="binfmt_misc is not in this kernel", hint="modprobe binfmt_misc, as root")
    if number in (errno.ENOENT, errno.ENOTDIR):
        reason = f"{FOLDER} is not there: the module is not loaded, or /proc is masked"
        hint = "leave /proc unmasked in this container" if container() else "modprobe binfmt_misc, as root"
        return HostError("no-binfmt-misc", _MESSAGE, reason=reason, hint=hint)
    limits = userns.kernel_check(Path("/"))
    if number in (errno.EPERM, errno.EACCES) and limits.status is not Status.OK:
        return HostError("userns-forbidden", _MESSAGE, reason=f"user namespaces: {limits.detail}", hint=limits.fix or _HOST_WIDE)
    reason = f"mounting it failed: {os.strerror(number)}"
    hint = "the container's seccomp or AppArmor profile must allow mount" if container() else _HOST_WIDE
    return HostError("binfmt-not-mounted", _MESSAGE, reason=reason, hint=hint)


def older(release: str) -> bool:
    """Whether kernel ``release``, as uname(2) gives it, is older than 6.7; False when it cannot be told."""
    match = re.match(r"(\d{1,4})\.(\d{1,4})", release, re.ASCII)
    return match is not None and (int(match[1]), int(match[2])) < _SINCE


def cannot_register(registration: Registration, number: int) -> HostError:
    """Return why the kernel answered a registration with error ``number``."""
    reason, hint = {
        errno.ENOENT: (f"{registration.interpreter} is not there", install_hint("qemu-user-static")),
        errno.EACCES: (f"{registration.interpreter} is not executable for this user", "give an emulator that may be executed"),
        errno.EEXIST: (f"the name {registration.name} is given twice", "give each emulator a name of its own"),
        errno.EINVAL: (
            f"the kernel does not understand it: flags {registration.flags!r}, interpreter {registration.interpreter}",
            "flags are letters of P, O, C and F; name and interpreter are short and hold no colon",
        ),
    }.get(number, (os.strerror(number), ""))
    return HostError("not-registered", f"{registration.name} cannot be registered", reason=reason, hint=hint)
