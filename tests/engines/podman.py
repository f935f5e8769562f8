"""podman and buildah with storage and configuration of their own; they have no daemon."""

from __future__ import annotations

import resource
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.engines.namespace import Namespace
from tests.engines.place import remove, storage_driver

from quarterdeck.core.process import Completed, run

# storage.conf: containers-storage.conf(5)
_STORAGE = """[storage]
driver = "{driver}"
graphroot = "{folder}/storage"
runroot = "{short}/run"
"""
_MANY = 32768
# containers.conf(5). Limits that root without CAP_SYS_RESOURCE may set too; podman's own are higher.
# The folder of its database is not set: the process that notes how a container ended does not read this file.
# crun refuses hosts with controllers in both versions of cgroups.
# The network of the host unless asked otherwise, so that no packet filter of the host is touched.
_CONTAINERS = """[containers]
netns = "host"
default_ulimits = [{ulimits}]
[engine]
cgroup_manager = "cgroupfs"
runtime = "runc"
events_logger = "file"
image_default_transport = "docker://"
tmp_dir = "{short}/tmp"
volume_path = "{folder}/volumes"
"""
_REGISTRIES = """unqualified-search-registries = []
[[registry]]
location = "127.0.0.1"
insecure = true
"""


@dataclass(frozen=True)
class Storage:
    """Images and containers of podman and buildah, which see the same ones; ``env`` is what they need in their environment.

    ``inside`` a namespace they are its root and share its binfmt_misc.
    """

    short: Path
    inside: Namespace | None = None

    @property
    def env(self) -> Mapping[str, str]:
        """Variables for podman and buildah; without cgroups and systemd only the chroot isolation of builds works everywhere."""
        return {
            "CONTAINERS_STORAGE_CONF": f"{self.short}/storage.conf",
            "CONTAINERS_CONF": f"{self.short}/containers.conf",
            "CONTAINERS_REGISTRIES_CONF": f"{self.short}/registries.conf",
            "REGISTRY_AUTH_FILE": f"{self.short}/auth.json",
            "XDG_RUNTIME_DIR": f"{self.short}/run",
            "BUILDAH_ISOLATION": "chroot",
            "TMPDIR": f"{self.short}/tmp",
        }

    def podman(self, *words: str | Path, check: bool = True, input: bytes | None = None, timeout: float = 100) -> Completed:
        """Run ``podman WORDS``."""
        return self._run("podman", words, check=check, input=input, timeout=timeout)

    def buildah(self, *words: str | Path, check: bool = True, input: bytes | None = None, timeout: float = 100) -> Completed:
        """Run ``buildah WORDS``."""
        return self._run("buildah", words, check=check, input=input, timeout=timeout)

    def load(self, archive: Path) -> None:
        """Take the images of an archive."""
        self.podman("load", "--quiet", "--input", archive)

    def _run(self, name: str, words: tuple[str | Path, ...], *, check: bool, input: bytes | None, timeout: float) -> Completed:
        argv = [name, *words]
        return run(self.inside.argv(argv) if self.inside else argv, env=self.env, check=check, input=input, timeout=timeout)


def _ulimits() -> str:
    limits = {"nofile": resource.RLIMIT_NOFILE, "nproc": resource.RLIMIT_NPROC}
    hard = {name: resource.getrlimit(key)[1] for name, key in limits.items()}
    few = {name: _MANY if limit == resource.RLIM_INFINITY else min(limit // 2, _MANY) for name, limit in hard.items()}
    return ", ".join(f'"{name}={limit}:{limit}"' for name, limit in few.items())


@contextmanager
def storage(folder: Path, *, inside: Namespace | None = None, keep: bool = False) -> Iterator[Storage]:
    """Have storage in ``folder`` until the block ends; its images stay for another time if ``keep`` is true."""
    # Sockets below it: their paths have at most 107 bytes, unix(7).
    short = Path(tempfile.mkdtemp(prefix="qd-podman-"))
    for name in ("run", "tmp"):
        (short / name).mkdir()
    texts = {"storage.conf": _STORAGE, "containers.conf": _CONTAINERS, "registries.conf": _REGISTRIES, "auth.json": "{{}}"}
    values = {"driver": storage_driver(folder), "folder": folder, "short": short, "ulimits": _ulimits()}
    for name, text in texts.items():
        (short / name).write_text(text.format_map(values), encoding="utf-8")
    engine = Storage(short, inside)
    try:
        yield engine
    finally:
        engine.podman("rm", "--all", "--force", "--time=0", check=False)
        remove(short, inside)
        for name in () if keep else ("storage", "volumes"):
            remove(folder / name, inside)
