"""What the kernel means when it refuses a change of binfmt_misc.

Source of the numbers: fs/binfmt_misc.c and Documentation/admin-guide/binfmt-misc.rst of Linux; tried with 6.18.
"""

from __future__ import annotations

import errno
import os

from quarterdeck.binfmt.kernel.registration import Registration
from quarterdeck.errors import HostError

WITHOUT_ROOT = "as root, or without root for one command only: qd binfmt run --arch ARCH -- COMMAND"
PRIVILEGED = "start the container with --privileged, or run this on the host"


def register_refused(registration: Registration, error: OSError) -> HostError:
    """Return why the kernel did not take a registration."""
    reason, hint = _of_registering(registration).get(error.errno or 0, (_words(error), ""))
    if error.errno in _PERMISSION and _may_write_files(error):
        # Registering opens an interpreter with flag F, so this may be about the interpreter and not about us.
        reason = f"the kernel may not run {registration.interpreter}: no regular file with an execute bit, or its file system is noexec"
        hint = f"chmod +x {registration.interpreter}"
    what = f"the kernel did not register {registration.name} with {registration.interpreter}"
    return HostError(_key(error), what, reason=reason, hint=hint)


def change_refused(what: str, error: OSError) -> HostError:
    """Return why the kernel did not change an entry; ``what`` is a sentence that says which."""
    reason, hint = _COMMON.get(error.errno or 0, (_words(error), ""))
    return HostError(_key(error), what, reason=reason, hint=hint)


def exists(registration: Registration) -> HostError:
    """Return the error for a name that another entry has."""
    what = f"there is an entry {registration.name} already"
    hint = f"look at it with 'qd binfmt status', and remove it with 'qd binfmt uninstall {registration.name}' if it is not needed"
    return HostError("binfmt-exists", what, reason="it runs another interpreter, or has other flags", hint=hint)


_PERMISSION = {errno.EACCES, errno.EPERM}
_COMMON = {
    errno.EACCES: ("only root may change it, and only root of the user namespace that it belongs to", WITHOUT_ROOT),
    errno.EPERM: ("only root may change it, and only root of the user namespace that it belongs to", WITHOUT_ROOT),
    errno.EROFS: ("/proc is read-only here, as in containers without privileges", PRIVILEGED),
    errno.ENOENT: ("it is gone: binfmt_misc was unmounted, or the entry removed, a moment ago", "try again"),
    errno.ENOSYS: ("this kernel is built without it", "use a kernel with CONFIG_BINFMT_MISC"),
}


def _of_registering(registration: Registration) -> dict[int, tuple[str, str]]:
    path = registration.interpreter
    limits = f"an interpreter path that is too long ({len(path)} characters; 127 are documented)"
    return _COMMON | {
        errno.ENOENT: (f"there is no file {path} in the root folder of this process", "name an emulator that is installed here"),
        errno.EINVAL: (
            f"it does not understand the line: a flag that it does not know, a magic beyond the first 128 bytes, or {limits}",
            "leave out flags, or put the emulator where its path is short",
        ),
        errno.ENOEXEC: (f"{path} is no program that this kernel runs", "name an emulator that is built for this machine"),
        errno.ENOSPC: ("the limit of interpreters kept open is reached", "raise it: sysctl user.max_binfmt_misc_interpreters=N"),
        errno.ETXTBSY: (f"{path} is being written at this moment", "try again when it is there as a whole"),
        errno.ELOOP: (f"{path} is a link that leads to itself", "name the emulator's own file"),
        errno.ENAMETOOLONG: ("the name or the path is too long", "put the emulator where its path is short"),
        errno.ENOMEM: ("the kernel is out of memory", ""),
    }  # fmt: skip


def _may_write_files(error: OSError) -> bool:
    """Whether we got as far as writing; an error of open(2) names the file, one of write(2) does not."""
    return error.filename is None


def _key(error: OSError) -> str:
    if error.errno in _PERMISSION:
        return "binfmt-permission"
    return "binfmt-read-only" if error.errno == errno.EROFS else "binfmt-refused"


def _words(error: OSError) -> str:
    return os.strerror(error.errno) if error.errno else str(error)
