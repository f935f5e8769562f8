"""User namespaces, with which an ordinary user makes guests and containers.

Sources: user_namespaces(7), subuid(5), the kernel's Documentation/admin-guide/sysctl/user.rst, Debian's patch of
``kernel.unprivileged_userns_clone``, Ubuntu's ``kernel.apparmor_restrict_unprivileged_userns``.
"""

from __future__ import annotations

import os
import pwd
from pathlib import Path

from quarterdeck.core import process
from quarterdeck.errors import QuarterdeckError
from quarterdeck.host.check import Check, Status
from quarterdeck.host.container import container
from quarterdeck.host.distribution import install_hint
from quarterdeck.host.files import exists, number, read_number, read_text
from quarterdeck.host.identity import choose_identity

_WANTED_IDS = 65536
_TIMEOUT = 1.0


async def check() -> list[Check]:
    """Return whether user namespaces work, and how many numbers the caller may map into one."""
    knobs = kernel_check(Path("/"))
    verdict = knobs if knobs.status is not Status.OK else await _prove(knobs)
    return [verdict, ids_check(Path("/"), os.geteuid(), _user_name())]


def kernel_check(root: Path) -> Check:
    """Say whether the kernel gives user namespaces to ordinary users."""
    title = "User namespaces"
    if not exists(root, "/proc/self/ns/user"):
        return Check(key="userns", title=title, status=Status.WARN, detail="not in this kernel, or hidden by masked /proc")
    if read_number(root, "/proc/sys/user/max_user_namespaces") == 0:
        return Check(key="userns", title=title, status=Status.WARN, detail="limited to 0", fix="sysctl user.max_user_namespaces=15000")
    if read_number(root, "/proc/sys/kernel/unprivileged_userns_clone") == 0:
        fix = "sysctl kernel.unprivileged_userns_clone=1"
        return Check(key="userns", title=title, status=Status.WARN, detail="for root only", fix=fix)
    if read_number(root, "/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == 1:
        fix = "sysctl kernel.apparmor_restrict_unprivileged_userns=0, or an AppArmor profile with 'userns,'"
        return Check(key="userns", title=title, status=Status.WARN, detail="AppArmor takes their capabilities from ordinary users", fix=fix)
    return Check(key="userns", title=title, status=Status.OK, detail="on for ordinary users")


async def _prove(knobs: Check) -> Check:
    """Make a user namespace as an ordinary user: a container's seccomp profile may forbid it without a trace in /proc."""
    program = process.find("unshare")
    if program is None:
        return knobs
    argv = [program, "--user", "--map-root-user", "--mount", "true"]
    try:
        await process.run_async(argv, timeout=_TIMEOUT, cwd="/", identity=choose_identity("doctor").identity)
    except QuarterdeckError as error:
        why = (error.reason or error.message).splitlines()[-1][:160]
        fix = "start the container with a seccomp profile that allows unshare and mount" if container() else ""
        return Check(key="userns", title=knobs.title, status=Status.WARN, detail=f"on, but making one fails: {why}", fix=fix)
    return Check(key="userns", title=knobs.title, status=Status.OK, detail="on for ordinary users, and making one works")


def ids_check(root: Path, uid: int, name: str) -> Check:
    """Say whether user ``name`` (number ``uid``) may map enough users and groups, and has the programs for it."""
    title = "Mapped ids"
    if uid == 0:
        return Check(key="subids", title=title, status=Status.INFO, detail="not needed by root")
    missing = [program for program in ("newuidmap", "newgidmap") if process.find(program) is None]
    if missing:
        fix = install_hint("uidmap", root=root)
        return Check(key="subids", title=title, status=Status.WARN, detail=f"{' and '.join(missing)} not installed", fix=fix)
    users, groups = (count_ids(read_text(root, path), uid, name) for path in ("/etc/subuid", "/etc/subgid"))
    detail = f"{users} users and {groups} groups for {name or uid}"
    if min(users, groups) < _WANTED_IDS:
        fix = f"usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {name or uid}"
        return Check(key="subids", title=title, status=Status.WARN, detail=f"{detail}; {_WANTED_IDS} are wanted", fix=fix)
    return Check(key="subids", title=title, status=Status.OK, detail=detail)


def count_ids(text: str, uid: int, name: str) -> int:
    """Return how many ids a file like /etc/subuid gives to the user."""
    total = 0
    for line in text.splitlines():
        fields = line.strip().split(":")
        if len(fields) == 3 and fields[0] in {name, str(uid)} - {""} and number(fields[1]) is not None:
            total += number(fields[2]) or 0
    return total


def _user_name() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return ""
