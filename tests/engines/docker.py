"""Docker Engine with data, sockets and containerd of its own."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.engines.daemon import daemon
from tests.engines.namespace import Namespace
from tests.engines.place import remove

from quarterdeck.core.process import Argv, Completed, find, run

# /usr/bin first: a newer client elsewhere may refuse to talk to Debian's daemon.
_FOLDERS = "/usr/sbin:/usr/bin:/sbin:/bin:/usr/libexec/docker"
# Containers get the network of the engine or none, so that no packet filter of the host is touched.
_CONFIG = {
    "bridge": "none",
    "iptables": False,
    "ip6tables": False,
    "ip-forward": False,
    "userland-proxy": False,
    "exec-opts": ["native.cgroupdriver=cgroupfs"],
    "log-driver": "json-file",
}
NETWORKED = {"bridge": "", "iptables": True, "ip6tables": False, "ip-forward": True, "userland-proxy": True}
"""With it, in a network namespace of its own, containers have a bridge, names and published ports as users know them."""


@dataclass(frozen=True)
class Docker:
    """A running engine; ``env`` is what its clients need in their environment, ``folders`` where its programs are looked for."""

    socket: Path
    folders: str = _FOLDERS

    @property
    def env(self) -> Mapping[str, str]:
        """Variables for any client: the address, and a configuration folder that is not the user's."""
        return {"DOCKER_HOST": f"unix://{self.socket}", "DOCKER_CONFIG": f"{self.socket.parent}/client"}

    def __call__(self, *words: str | Path, check: bool = True, input: bytes | None = None, timeout: float = 100) -> Completed:
        """Run ``docker WORDS``."""
        return run([program("docker", self.folders), *words], env=self.env, check=check, input=input, timeout=timeout)

    def load(self, archive: Path) -> None:
        """Take the images of an archive."""
        self("load", "--quiet", "--input", archive)


def program(name: str, folders: str = _FOLDERS) -> str:
    """Return the path of one of the engine's programs, as Debian installs it unless other folders are given."""
    found = shutil.which(name, path=folders) or find(name)
    assert found is not None, f"{name} is not installed: 'make setup' installs what tests need"
    return found


@contextmanager
def docker_engine(
    folder: Path, *, inside: Namespace | None = None, config: Mapping[str, object] | None = None, programs: Sequence[Path] = ()
) -> Iterator[Docker]:
    """Run dockerd until the block ends, with its data in ``folder``; ``inside`` a namespace its containers share its binfmt_misc.

    Its programs are Debian's unless the folders ``programs`` have them.
    ``config`` is laid over daemon.json; its networks are off unless asked for, ``--network host`` and ``none`` always work.
    """
    # The path of a socket has at most 107 bytes, unix(7), and dockerd makes some deep below its exec root.
    short = Path(tempfile.mkdtemp(prefix="qd-docker-"))
    try:
        (short / "daemon.json").write_text(json.dumps({**_CONFIG, **(config or {})}), encoding="utf-8")
        engine = Docker(short / "docker.sock", ":".join([*map(str, programs), _FOLDERS]))
        words: Argv = _command(engine, short, folder)
        argv = inside.argv(words) if inside else words
        with daemon(argv, log=folder / "dockerd.log", ready=lambda _: _answers(engine), env=_environment(engine, short)):
            yield engine
            _remove_containers(engine)
    finally:
        remove(short, inside)
        remove(folder / "data", inside)


def _command(engine: Docker, short: Path, folder: Path) -> list[str]:
    return [
        program("dockerd", engine.folders),
        f"--config-file={short}/daemon.json",
        f"--data-root={folder}/data",
        f"--exec-root={short}/exec",
        f"--pidfile={short}/dockerd.pid",
        f"--host=unix://{short}/docker.sock",
        f"--group={os.getgid()}",
    ]


def _environment(engine: Docker, short: Path) -> Mapping[str, str]:
    return {"PATH": engine.folders, "HOME": str(short), "XDG_RUNTIME_DIR": str(short), "DOCKER_CONFIG": f"{short}/client"}


def _answers(engine: Docker) -> bool:
    return engine.socket.exists() and engine("version", check=False).returncode == 0


def _remove_containers(engine: Docker) -> None:
    with contextlib.suppress(OSError):
        if names := engine("ps", "--all", "--quiet", check=False).text.split():
            engine("rm", "--force", "--volumes", *names, check=False)
