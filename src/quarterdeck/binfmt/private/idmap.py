"""Which users and groups a new user namespace has, and how they are written into it.

Sources: user_namespaces(7), subuid(5), newuidmap(1).
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from quarterdeck.core import process
from quarterdeck.core.process import ProcessError
from quarterdeck.errors import HostError
from quarterdeck.host.distribution import install_hint
from quarterdeck.host.files import number, read_text

_HELPER_SECONDS = 10.0
REFUSALS = frozenset({"newuidmap-missing", "no-subordinate-ids", "ids-not-mapped"})
"""Keys of the errors that mean that there are no subordinate ids."""


@dataclass(frozen=True)
class Span:
    """``count`` ids that follow each other, from ``inside`` in the namespace and from ``outside`` in ours."""

    inside: int
    outside: int
    count: int

    def words(self) -> list[str]:
        """Return the three numbers of a line of uid_map."""
        return [str(self.inside), str(self.outside), str(self.count)]


@dataclass(frozen=True)
class IdMap:
    """The ids of a namespace. ``subordinate`` ones are only given out by newuidmap and newgidmap."""

    users: tuple[Span, ...]
    groups: tuple[Span, ...]
    subordinate: bool = False

    @property
    def several(self) -> bool:
        """Whether there is more than one user and group, so that programs may change theirs."""
        return min(sum(span.count for span in self.users), sum(span.count for span in self.groups)) > 1


def choose(*, root: bool, base: Path = Path("/")) -> IdMap:
    """Return what the caller may map: all ids for root; else its own one as root's, with ``root`` its subordinate ones beside.

    There must be a root in the namespace: binfmt_misc lets nobody else write, and shows files of a root that is not there as nobody's.

    Raises:
        HostError: no subordinate ids, or no programs that give them out.
    """
    uid, gid = os.geteuid(), os.getegid()
    if uid == 0:
        return all_ids(base)
    if root:
        return subordinate_ids(uid, gid, base=base)
    return IdMap((Span(0, uid, 1),), (Span(0, gid, 1),))


def all_ids(base: Path = Path("/")) -> IdMap:
    """Return every id that our own namespace has, unchanged."""
    return IdMap(_identical(read_text(base, "/proc/self/uid_map")), _identical(read_text(base, "/proc/self/gid_map")))


def _identical(text: str) -> tuple[Span, ...]:
    rows = [line.split() for line in text.splitlines()]
    return tuple(Span(int(row[0]), int(row[0]), int(row[2])) for row in rows if len(row) == 3)


def subordinate_ids(uid: int, gid: int, *, base: Path = Path("/")) -> IdMap:
    """Return a map in which user ``uid`` is root and its subordinate ids follow from 1 on.

    Raises:
        HostError: it has none, or newuidmap is missing.
    """
    if process.find("newuidmap") is None or process.find("newgidmap") is None:
        raise HostError("newuidmap-missing", "newuidmap, which gives out subordinate ids, is not installed", hint=install_hint("uidmap"))
    name = _user_name(uid)
    users, groups = (_after_root(_ranges(read_text(base, file), {name, str(uid)})) for file in ("/etc/subuid", "/etc/subgid"))
    if not users or not groups:
        who = name or str(uid)
        raise HostError(
            "no-subordinate-ids",
            f"{who} has no subordinate ids",
            reason=f"neither {who} nor {uid} is in both /etc/subuid and /etc/subgid",
            hint=f"usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {who}",
        )
    return IdMap((Span(0, uid, 1), *users), (Span(0, gid, 1), *groups), subordinate=True)


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return ""


def _ranges(text: str, names: set[str]) -> Iterable[tuple[int, int]]:
    for line in text.splitlines():
        fields = line.strip().split(":")
        if len(fields) != 3 or not fields[0] or fields[0] not in names:
            continue
        first, count = number(fields[1]), number(fields[2])
        if first is not None and count:
            yield first, count


def _after_root(ranges: Iterable[tuple[int, int]]) -> tuple[Span, ...]:
    spans: list[Span] = []
    inside = 1
    for first, count in ranges:
        spans.append(Span(inside, first, count))
        inside += count
    return tuple(spans)


def write(ids: IdMap, pid: int) -> None:
    """Give process ``pid``, which made a user namespace, the ids.

    Raises:
        HostError: the kernel or newuidmap refuses.
    """
    try:
        if ids.subordinate:
            _through_helpers(ids, pid)
        else:
            _directly(ids, pid)
    except OSError as error:
        hint = "root needs the capabilities SETUID, SETGID and SETFCAP for that" if os.geteuid() == 0 else ""
        raise _refused(os.strerror(error.errno or 0), hint) from None
    except ProcessError as error:
        raise _refused(
            error.reason or error.message, "newuidmap must be set-uid root, and the ids listed in /etc/subuid, /etc/subgid"
        ) from None


def _refused(reason: str, hint: str) -> HostError:
    return HostError("ids-not-mapped", "the user namespace could not be given its users and groups", reason=reason, hint=hint)


def _through_helpers(ids: IdMap, pid: int) -> None:
    for program, spans in (("newuidmap", ids.users), ("newgidmap", ids.groups)):
        words = [word for span in spans for word in span.words()]
        process.run([process.find(program) or program, str(pid), *words], timeout=_HELPER_SECONDS)


def _directly(ids: IdMap, pid: int) -> None:
    if not ids.several:
        # Without CAP_SETGID a group may be mapped only where nobody can leave groups any more.
        _write(pid, "setgroups", "deny")
    _write(pid, "uid_map", _lines(ids.users))
    _write(pid, "gid_map", _lines(ids.groups))


def _lines(spans: Sequence[Span]) -> str:
    return "".join(" ".join(span.words()) + "\n" for span in spans)


def _write(pid: int, file: str, text: str) -> None:
    # Unbuffered: the kernel takes a map in one write, or not at all.
    with open(f"/proc/{pid}/{file}", "wb", buffering=0) as stream:
        stream.write(text.encode())
