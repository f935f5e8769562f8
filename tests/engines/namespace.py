"""A user namespace with a binfmt_misc of its own: engines inside it are root, and register emulators that the host never sees.

Since Linux 6.7 each user namespace may have its own instance (commit 21ca59b365c0, "binfmt_misc: enable sandboxed mounts"); older
kernels refuse to mount one there. The instance is emptied at its last umount, so the holder of the namespace keeps it mounted.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.engines.daemon import children, daemon, is_root, stop

from quarterdeck.core.handle import ProcessHandle
from quarterdeck.core.process import Argv, Completed, run

BINFMT = Path("/proc/sys/fs/binfmt_misc")
_IDS = 65536
# Until its ids are mapped it is nobody. Its /run is its own: dockerd makes /run/docker, which others than root may not, and takes the
# containerd that it finds in /run/containerd for its own. Some hosts keep the file there that /etc/resolv.conf is a link to.
_HOLD = """
until [ "$(id -u)" = 0 ]; do sleep 0.02; done
mount --make-rprivate / && mount --make-rshared / && mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc || exit 1
names=$(readlink -f /etc/resolv.conf); servers=$(cat "$names" 2>/dev/null)
mount -t tmpfs -o mode=755 tmpfs /run || exit 1
case $names in /run/*) mkdir -p "${names%/*}" && printf '%s\n' "$servers" >"$names" ;; esac
ip link set lo up 2>/dev/null
: >"$0" && exec sleep infinity
"""


@dataclass(frozen=True)
class Namespace:
    """A user, mount and network namespace that is held open; files of it are at ``/proc/PID/root``."""

    pid: int

    def argv(self, words: Argv) -> list[str]:
        """Return the argument list that runs ``words`` inside, as its root, in the current folder."""
        return ["nsenter", f"--target={self.pid}", "--user", "--mount", "--net", f"--wd={Path.cwd()}", "--", *map(str, words)]

    def run(self, words: Argv, *, input: bytes | None = None, check: bool = True, timeout: float = 60) -> Completed:
        """Run a program inside to its end."""
        return run(self.argv(words), input=input, check=check, timeout=timeout)

    def entries(self) -> set[str]:
        """Return the names of what is registered inside."""
        listing = self.run(["ls", BINFMT]).text.split()
        return set(listing) - {"register", "status"}

    def clear(self) -> None:
        """Remove all that is registered inside."""
        for name in self.entries():
            self.run(["tee", BINFMT / name], input=b"-1")


def missing() -> str:
    """Return why this host cannot have such a namespace, empty when it can."""
    words = ["unshare", "--user", "--map-root-user", "--mount", "mount", "-t", "binfmt_misc", "binfmt_misc", str(BINFMT)]
    done = run(words, check=False, timeout=10)
    return "" if done.returncode == 0 else f"no binfmt_misc of its own in a user namespace: {done.stderr.decode(errors='replace').strip()}"


@contextmanager
def namespace(folder: Path) -> Iterator[Namespace]:
    """Hold a namespace until the block ends; ``folder`` is for its log.

    Its network is the loopback device alone: containers may have a network only of a namespace that belongs to their root.
    Root gets its ids 0 to 65535 as they are, so that files keep their owners; others become root and get their subordinate ids.
    """
    mark = folder / "ready"
    mapping = [] if is_root() else ["--map-root-user", "--map-auto"]
    words = ["unshare", "--user", *mapping, "--mount", "--net", "--fork", "--kill-child", "sh", "-c", _HOLD, str(mark)]

    def ready(outer: ProcessHandle) -> bool:
        for pid in children(outer.pid) if is_root() else []:
            _map_ids(pid)
        return mark.exists()

    # unshare(1) itself waits for its child and ignores what asks it to end.
    with daemon(words, log=folder / "namespace.log", ready=ready, orphaned="KILL") as outer:
        holder = ProcessHandle.find(children(outer.pid)[0])
        assert holder is not None
        try:
            yield Namespace(holder.pid)
        finally:
            stop(holder)


def _map_ids(pid: int) -> None:
    """Give a new user namespace its ids, once; format: user_namespaces(7)."""
    for file in (Path(f"/proc/{pid}/uid_map"), Path(f"/proc/{pid}/gid_map")):
        if not file.read_text(encoding="ascii").strip():
            file.write_text(f"0 0 {_IDS}\n", encoding="ascii")
