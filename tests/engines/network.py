"""A network namespace for engines whose containers have networks: bridges, packet filters and published ports are in it alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.engines.daemon import children, daemon, is_root, stop
from tests.engines.namespace import Namespace

from quarterdeck.core.handle import ProcessHandle
from quarterdeck.core.process import Argv

# Its /run is its own, as in tests.engines.namespace. The packet filter keeps its lock there too.
_HOLD = """
mount --make-rprivate / && mount --make-rshared / && mount -t tmpfs -o mode=755 tmpfs /run && ip link set lo up || exit 1
: >"$0" && exec sleep infinity
"""


class NetworkNamespace(Namespace):
    """A network and a mount namespace of the host's root."""

    def argv(self, words: Argv) -> list[str]:
        """Return the argument list that runs ``words`` inside, in the current folder."""
        return ["nsenter", f"--target={self.pid}", "--mount", "--net", f"--wd={Path.cwd()}", "--", *map(str, words)]


def missing() -> str:
    """Return why this host cannot have such a namespace, empty when it can."""
    return "" if is_root() else "engines whose containers have networks need root"


@contextmanager
def network_namespace(folder: Path) -> Iterator[NetworkNamespace]:
    """Hold a namespace until the block ends, with the loopback device alone; ``folder`` is for its log."""
    mark = folder / "ready"
    words = ["unshare", "--mount", "--net", "--fork", "--kill-child", "sh", "-c", _HOLD, str(mark)]
    with daemon(words, log=folder / "namespace.log", ready=lambda _: mark.exists(), orphaned="KILL") as outer:
        holder = ProcessHandle.find(children(outer.pid)[0])
        assert holder is not None
        try:
            yield NetworkNamespace(holder.pid)
        finally:
            stop(holder)
