"""Which unprivileged user QEMU runs as when we are root.

Each machine gets a numeric user and group of its own, so that a guest that breaks out of QEMU meets neither
other machines nor anybody's files. Nobody has to be in the user database for that.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from quarterdeck.core.process import Identity
from quarterdeck.host.files import below, read_text

NOBODY = 65534

_RANGES = (range(2_100_000_000, 2_140_000_000), range(60_706, 61_184))
"""Numbers that belong to nobody, best first.

Source: systemd's "Users, Groups, UIDs and GIDs on systemd Systems" calls 1879048192 to 2147483647 (later versions: up
to the foreign range at 2147352576) and 60706 to 61183 unused. The first one starts above SSSD's default
``ldap_idmap_range_max`` of 2000200000, up to which directories number their users. The second one is there also in a
container whose user namespace maps 65536 numbers.
"""

_CAP_CHOWN, _CAP_SETGID, _CAP_SETUID = 0, 6, 7
_SPAN = tuple[int, int]


@dataclass(frozen=True)
class IdentityChoice:
    """The user that QEMU gets (None: the caller's own) and why, in one line."""

    identity: Identity | None
    reason: str


def identity_for(machine: str, taken: Collection[int] = ()) -> Identity | None:
    """Return the user that QEMU runs as for ``machine``, none of the uids ``taken``; None when QEMU keeps the caller's.

    The same name always gives the same user unless that is taken, so a machine's files stay its own.
    """
    return choose_identity(machine, taken).identity


def choose_identity(machine: str, taken: Collection[int] = (), *, root: Path = Path("/"), uid: int | None = None) -> IdentityChoice:
    """Return the user for ``machine`` and why; ``uid`` (default: ours) and ``root`` are for tests."""
    if (os.geteuid() if uid is None else uid) != 0:
        return IdentityChoice(None, "QEMU runs as you")
    obstacle = _obstacle(root)
    if obstacle:
        return IdentityChoice(None, f"QEMU runs as root: {obstacle}")
    groups = kvm_groups(root)
    mapped = _both_maps(root)
    number = _own_number(machine, taken, mapped)
    if number is not None:
        return IdentityChoice(Identity(number, number, groups), f"user {number} belongs to this machine only")
    if _is_mapped(NOBODY, mapped):
        return IdentityChoice(Identity(NOBODY, NOBODY, groups), "QEMU runs as nobody: this user namespace has no unused users to give away")
    return IdentityChoice(None, "QEMU runs as root: this user namespace has no other users")


def kvm_groups(root: Path = Path("/")) -> tuple[int, ...]:
    """Return the group that owns /dev/kvm when it is what lets its members open it, else nothing. Never root's group."""
    try:
        status = os.stat(below(root, "/dev/kvm"))
    except OSError:
        return ()
    group_may = status.st_mode & (stat.S_IRGRP | stat.S_IWGRP) == stat.S_IRGRP | stat.S_IWGRP
    others_may = status.st_mode & (stat.S_IROTH | stat.S_IWOTH) == stat.S_IROTH | stat.S_IWOTH
    if others_may or not group_may or status.st_gid in (0, NOBODY):
        return ()
    return (status.st_gid,) if _is_mapped(status.st_gid, _spans(root, "/proc/self/gid_map")) else ()


def _obstacle(root: Path) -> str:
    """Say what keeps this root from becoming somebody else; empty when nothing does. Sources: user_namespaces(7), capabilities(7)."""
    if read_text(root, "/proc/self/setgroups") == "deny":
        return "this user namespace does not let it change its groups"
    lacking = [name for name, bit in (("CHOWN", _CAP_CHOWN), ("SETGID", _CAP_SETGID), ("SETUID", _CAP_SETUID)) if not _capable(root, bit)]
    return f"it lacks the capabilities {', '.join(lacking)}" if lacking else ""


def _capable(root: Path, bit: int) -> bool:
    for line in read_text(root, "/proc/self/status").splitlines():
        name, _, value = line.partition(":")
        if name == "CapEff":
            try:
                return bool(int(value.strip(), 16) >> bit & 1)
            except ValueError:
                break
    return True


def _own_number(machine: str, taken: Collection[int], mapped: Sequence[_SPAN]) -> int | None:
    start = int.from_bytes(hashlib.sha256(machine.encode(errors="surrogateescape")).digest()[:8])
    used = set(taken)
    for numbers in _RANGES:
        if not (_is_mapped(numbers[0], mapped) and _is_mapped(numbers[-1], mapped)):
            continue
        for step in range(min(len(numbers), len(used) + 1)):
            candidate = numbers[(start + step) % len(numbers)]
            if candidate not in used:
                return candidate
    return None


def _both_maps(root: Path) -> list[_SPAN]:
    """Return the spans that are mapped for users and for groups alike."""
    users, groups = _spans(root, "/proc/self/uid_map"), _spans(root, "/proc/self/gid_map")
    both = [(max(u[0], g[0]), min(u[1], g[1])) for u in users for g in groups]
    return [span for span in both if span[0] < span[1]]


def _spans(root: Path, path: str) -> list[_SPAN]:
    """Return the mapped numbers as (first, one past last). Without the file (kernel without user namespaces) all are."""
    text = read_text(root, path)
    if not text:
        return [(0, 2**32 - 1)]
    spans = []
    for line in text.splitlines():
        fields = line.split()
        if len(fields) == 3 and all(field.isascii() and field.isdigit() for field in fields):
            spans.append((int(fields[0]), int(fields[0]) + int(fields[2])))
    return spans


def _is_mapped(number: int, spans: Sequence[_SPAN]) -> bool:
    return any(first <= number < end for first, end in spans)
