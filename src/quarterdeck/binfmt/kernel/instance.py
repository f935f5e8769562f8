"""What binfmt_misc is here: in this kernel, in this user namespace, in this container. Reads only.

Since Linux 6.7 each user namespace may have an instance of its own: the first mount inside it makes one, which from then on hides
the entries of the host, and the entries of an instance are gone when its last mount is. Source: the kernel's commit
21ca59b365c0 ("binfmt_misc: enable sandboxed mounts") and fs/binfmt_misc.c of 6.18; tried with 6.18.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from quarterdeck.binfmt.emulators.flags import kernel_version
from quarterdeck.binfmt.entries.debian import package_version
from quarterdeck.host.binfmt_misc import FOLDER, is_mounted, is_switched_on
from quarterdeck.host.container import container
from quarterdeck.host.files import below, exists, read_text

FIX_BINARY_SINCE = (4, 8)
"""Linux that knows flag F."""
SANDBOXED_SINCE = (6, 7)
"""Linux whose instances belong to user namespaces and lose their entries at the last unmount."""
_FIRST_USER_NAMESPACE = "user:[4026531837]"
_FIRST_PID_NAMESPACE = "pid:[4026531836]"
"""Fixed numbers of include/linux/proc_ns.h."""


class Built(StrEnum):
    """How the kernel has binfmt_misc."""

    YES = "yes"
    MODULE = "module"
    NO = "no"


class Kind(StrEnum):
    """Whose instance it is that programs started here go by."""

    HOST = "host"
    OWN = "own"
    """This user namespace's own; it hides the host's."""
    INHERITED = "inherited"
    """The host's, seen from a user namespace that has none: its entries work and cannot be changed."""
    ABSENT = "absent"
    """None is mounted here; entries of the host may work all the same."""


@dataclass(frozen=True, kw_only=True)
class Instance:
    """The facts.

    ``created`` is when the instance was made, in seconds since the epoch (0: not mounted). ``automount`` says that systemd would
    mount it when it is looked at. ``binfmt_support`` is the version of that package, empty when it is not installed.
    """

    folder: str
    built: Built
    mounted: bool
    automount: bool
    enabled: bool
    writable: bool
    kind: Kind
    kernel: tuple[int, int]
    created: float = 0.0
    container: str = ""
    binfmt_support: str = ""

    @property
    def sandboxed(self) -> bool:
        """Whether this kernel gives instances to user namespaces."""
        return self.kernel >= SANDBOXED_SINCE

    def to_json(self) -> dict[str, object]:
        """Return the facts as a JSON object."""
        return {
            "folder": self.folder,
            "built": self.built.value,
            "mounted": self.mounted,
            "automount": self.automount,
            "enabled": self.enabled,
            "writable": self.writable,
            "instance": self.kind.value,
            "kernel": ".".join(map(str, self.kernel)),
            "created": self.created or None,
            "container": self.container or None,
            "binfmt_support": self.binfmt_support or None,
        }


def probe_instance(folder: Path = FOLDER, *, root: Path = Path("/")) -> Instance:
    """Return what is so. Looking makes systemd mount it where that waits for somebody to look."""
    mounted = is_mounted(folder)
    return Instance(
        folder=str(folder),
        built=_built(root),
        mounted=mounted,
        automount=mounted_as("autofs", folder, root=root),
        enabled=is_switched_on(folder),
        writable=mounted and os.access(folder / "register", os.W_OK) and not _read_only(folder),
        kind=_kind(folder, mounted, root),
        kernel=kernel_version(read_text(root, "/proc/sys/kernel/osrelease")),
        created=created(folder),
        container=container(root),
        binfmt_support=package_version("binfmt-support", root),
    )


def created(folder: Path) -> float:
    """Return when the instance on ``folder`` was made, in seconds since the epoch; 0 when there is none.

    It is the change time of the kernel's file ``status``, which nothing changes later.
    """
    try:
        return (folder / "status").stat().st_ctime
    except OSError:
        return 0.0


def in_first_user_namespace(root: Path = Path("/")) -> bool:
    """Whether we are in the host's user namespace."""
    return _link(root, "/proc/self/ns/user") == _FIRST_USER_NAMESPACE


def sees_host(root: Path = Path("/")) -> bool:
    """Whether process 1 here is the host's: on the host itself, or in a container with ``--pid=host``."""
    return _link(root, "/proc/self/ns/pid") == _FIRST_PID_NAMESPACE


def shares_mounts_with_first_process(root: Path = Path("/")) -> bool:
    """Whether we see the mounts that process 1 sees."""
    own = _link(root, "/proc/self/ns/mnt")
    return bool(own) and own == _link(root, "/proc/1/ns/mnt")


def mounted_as(kind: str, folder: Path, *, root: Path = Path("/"), process: str = "self") -> bool:
    """Whether a process has a file system of this kind (``autofs``, ``binfmt_misc``) mounted on ``folder``."""
    return bool(device(kind, folder, root=root, process=process))


def device(kind: str, folder: Path, *, root: Path = Path("/"), process: str = "self") -> str:
    """Return the device number, ``0:41``, of the last such file system that a process has on ``folder``; empty when there is none.

    Mounts of one instance have one number. Source: proc_pid_mountinfo(5).
    """
    found = ""
    for line in read_text(root, f"/proc/{process}/mountinfo").splitlines():
        left, _, right = line.partition(" - ")
        fields = left.split(" ")
        if len(fields) > 4 and fields[4] == str(folder) and right.split(" ")[0] == kind:
            found = fields[2]
    return found


def _built(root: Path) -> Built:
    if "binfmt_misc" in read_text(root, "/proc/filesystems").split():
        return Built.YES
    release = read_text(root, "/proc/sys/kernel/osrelease")
    folders = (f"/lib/modules/{release}/kernel/fs", f"/usr/lib/modules/{release}/kernel/fs")
    names = [name for folder in folders if exists(root, folder) for name in os.listdir(below(root, folder))]
    return Built.MODULE if any(name.startswith("binfmt_misc.ko") for name in names) else Built.NO


def _kind(folder: Path, mounted: bool, root: Path) -> Kind:
    if not mounted:
        return Kind.ABSENT
    if in_first_user_namespace(root):
        return Kind.HOST
    own, host = device("binfmt_misc", folder, root=root), device("binfmt_misc", folder, root=root, process="1")
    if sees_host(root) and own and own == host:
        return Kind.INHERITED
    return Kind.OWN if _owned_by_our_root(folder) else Kind.INHERITED


def _owned_by_our_root(folder: Path) -> bool:
    """Whether the instance's files belong to user 0 as we see it; those of another namespace mostly belong to nobody."""
    try:
        return (folder / "register").stat().st_uid == 0
    except OSError:
        return False


def _read_only(folder: Path) -> bool:
    return bool(os.statvfs(folder).f_flag & os.ST_RDONLY)


def _link(root: Path, path: str) -> str:
    try:
        return os.readlink(below(root, path))
    except OSError:
        return ""
