"""Acting as root inside a root file system: root as it is, others in a user namespace with their subordinate ids."""

from __future__ import annotations

import getpass
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from quarterdeck.core.process import Argv, Completed, find, run_async
from quarterdeck.errors import DeadlineError, HostError

_UNSHARE = ("unshare", "--user", "--map-root-user", "--map-auto", "--")
"""unshare(1) of util-linux 2.38: root inside is the caller, ids from 1 on are its subordinate ids."""


@dataclass(frozen=True)
class Privilege:
    """How this process becomes root for files: the words before a command, and mmdebstrap's mode."""

    prefix: tuple[str, ...]
    mode: str

    async def run(self, argv: Argv, *, timeout: float | None = None, on_line: Callable[[str], None] | None = None) -> Completed:
        """Run a program as the root that owns the files of the guest."""
        return await run_async([*self.prefix, *argv], timeout=timeout, on_line=on_line)

    async def remove(self, folder: Path) -> None:
        """Remove a tree whose files may belong to subordinate ids."""
        await run_async([*self.prefix, "rm", "-rf", "--one-file-system", "--", folder], check=False)


async def find_privilege() -> Privilege:
    """Return how this user makes a root file system.

    Raises:
        HostError: an ordinary user without subordinate ids, or a kernel that allows no user namespaces.
    """
    if os.geteuid() == 0:
        return Privilege((), "root")
    if find("newuidmap") is None:
        raise _refused("newuidmap is not installed", "apt install uidmap")
    user = getpass.getuser()
    for file in (Path("/etc/subuid"), Path("/etc/subgid")):
        if not has_range(file, user, os.getuid()):
            raise _refused(f"{file} gives no ids to {user}", f"usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {user}")
    reason = await _obstacle()
    if reason is not None:
        raise _refused(
            reason,
            "allow user namespaces: sysctl kernel.unprivileged_userns_clone=1, kernel.apparmor_restrict_unprivileged_userns=0; or be root",
        )
    return Privilege(_UNSHARE, "unshare")


async def _obstacle() -> str | None:
    """Return why no user namespace can be made here, or None when it can."""
    try:
        tried = await run_async([*_UNSHARE, "true"], check=False, timeout=10)
    except DeadlineError:
        return "unshare(1) waits for ever for its ids, as it does in a plain chroot"
    return tried.stderr.decode(errors="replace").strip() or "unshare(1) failed" if tried.returncode else None


def has_range(file: Path, user: str, uid: int) -> bool:
    """Whether ``file`` gives ``user`` at least 65536 ids; format: subuid(5), ``NAME_OR_UID:FIRST:COUNT``."""
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return False
    rows = [line.split(":") for line in lines]
    return any(len(row) == 3 and row[0] in (user, str(uid)) and row[2].strip().isdigit() and int(row[2]) >= 65536 for row in rows)


def workspace(privilege: Privilege, folder: Path) -> Path:
    """Return where the root file system is put together: ``folder`` for root, else a place that subordinate ids can reach.

    mmdebstrap's root is one of the subordinate ids, and home folders are closed to them.
    """
    if privilege.mode == "root":
        return folder / "work"
    base = Path(os.environ.get("TMPDIR") or "/var/tmp")  # noqa: S108 - the folder below is ours and checked by the caller
    return base / f"quarterdeck-{os.getuid()}-{folder.name.partition('.building')[0].lstrip('.')}"


def claim(folder: Path) -> None:
    """Make ``folder``, which other users can enter but not write.

    Raises:
        HostError: it is there already and belongs to somebody else.
    """
    try:
        folder.mkdir(mode=0o755)
        folder.chmod(0o755)
    except FileExistsError:
        raise HostError("workspace-taken", f"{folder} is in the way", hint=f"remove it: rm -rf {folder}") from None
    except OSError as error:
        raise HostError(
            "workspace-not-made", f"{folder} cannot be made", reason=error.strerror or "", hint="set TMPDIR to another folder"
        ) from error


def leftover(folder: Path) -> bool:
    """Whether ``folder`` is a real folder of ours, left by a killed build."""
    try:
        status = folder.lstat()
    except OSError:
        return False
    return folder.is_dir() and not folder.is_symlink() and status.st_uid == os.geteuid()


def free_space(folder: Path) -> int:
    """Return the free bytes where ``folder`` is or will be."""
    place = folder
    while not place.exists():
        place = place.parent
    return shutil.disk_usage(place).free


def _refused(reason: str, hint: str) -> HostError:
    return HostError("no-user-namespace", "a Debian guest cannot be made as an ordinary user here", reason=reason, hint=hint)
