"""The newest engines, which ``make test-engines`` builds from Go modules: BuildKit with buildx, Docker Engine with Compose.

As fixtures: import those that a package uses into its conftest.py, together with ``engine_namespace`` of :mod:`tests.engines.fixtures`.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from scripts.engines import place
from scripts.engines.table import engines
from tests.engines.daemon import daemon, is_root
from tests.engines.docker import NETWORKED, Docker, docker_engine, program
from tests.engines.fixtures import folder_for
from tests.engines.namespace import Namespace
from tests.engines.network import NetworkNamespace
from tests.engines.place import remove, storage_driver

from quarterdeck.core.process import Completed, run

BUILDER = "newest"
_DEBIAN = "/usr/sbin:/usr/bin:/sbin:/bin"
# docs/buildkitd.toml.md of BuildKit. What builds made goes with the fixture, so nothing is collected before.
_BUILDKITD = """root = "{folder}/buildkit"
[grpc]
address = ["unix://{short}/buildkitd.sock"]
gid = {group}
[otel]
socketPath = "{short}/otel.sock"
[cdi]
disabled = true
[worker.oci]
enabled = true
gc = false
snapshotter = "{snapshotter}"
[worker.containerd]
enabled = false
"""


@dataclass(frozen=True)
class Buildkit:
    """A running buildkitd, and buildx with a builder of driver ``remote`` that is it; ``env`` is for any client of buildx."""

    short: Path
    folders: str

    @property
    def address(self) -> str:
        """What BuildKit's own clients call it by."""
        return f"unix://{self.short}/buildkitd.sock"

    @property
    def env(self) -> Mapping[str, str]:
        """Variables with which ``docker buildx`` finds itself and the builder; there is no Docker Engine."""
        return {"PATH": self.folders, "DOCKER_CONFIG": f"{self.short}/client", "BUILDX_BUILDER": BUILDER}

    def __call__(self, *words: str | Path, check: bool = True, input: bytes | None = None, timeout: float = 100) -> Completed:
        """Run ``docker buildx WORDS``."""
        return run([program("docker", self.folders), "buildx", *words], env=self.env, check=check, input=input, timeout=timeout)

    def buildctl(self, *words: str | Path, check: bool = True, timeout: float = 100) -> Completed:
        """Run ``buildctl WORDS``."""
        return run([program("buildctl", self.folders), f"--addr={self.address}", *words], check=check, timeout=timeout)


def missing() -> str:
    """Return which engines are not built, empty when all are."""
    names = [engine.name for engine in engines() if not place.is_built(engine)]
    return f"not built for this checkout: {', '.join(names)}; 'make test-engines' builds them" if names else ""


def folders() -> list[Path]:
    """Return the folders of the programs of all engines."""
    return [place.folder_of(engine) for engine in engines()]


def add_plugins(config: Path) -> None:
    """Make buildx and Compose plugins of the clients whose configuration is in the folder ``config``; source: ``docker help plugins``."""
    config.mkdir(exist_ok=True)
    (config / "config.json").write_text(json.dumps({"cliPluginsExtraDirs": list(map(str, folders()))}), encoding="utf-8")


@contextmanager
def buildkit(folder: Path, *, inside: Namespace | None = None) -> Iterator[Buildkit]:
    """Run buildkitd until the block ends, with its data in ``folder``; ``inside`` a namespace builds share its binfmt_misc.

    Builds have the network of the daemon: the host's, or of the namespace, which is the loopback device alone.
    """
    short = Path(tempfile.mkdtemp(prefix="qd-buildkit-"))
    running = Buildkit(short, ":".join([*map(str, folders()), _DEBIAN]))
    config = short / "buildkitd.toml"
    snapshotter = "native" if storage_driver(folder) == "vfs" else "overlayfs"
    config.write_text(_BUILDKITD.format(folder=folder, short=short, group=os.getgid(), snapshotter=snapshotter), encoding="utf-8")
    words = [program("buildkitd", running.folders), f"--config={config}"]
    argv = inside.argv(words) if inside else words
    env = {"PATH": running.folders, "HOME": str(short), "XDG_RUNTIME_DIR": str(short), "TMPDIR": str(short)}
    add_plugins(short / "client")
    try:
        with daemon(argv, log=folder / "buildkitd.log", ready=lambda _: _answers(running), env=env):
            running("create", "--driver=remote", f"--name={BUILDER}", running.address)
            yield running
    finally:
        remove(folder / "buildkit", inside)
        remove(short, inside)


@contextmanager
def newest_engine(folder: Path, *, inside: Namespace | None = None, config: Mapping[str, object] | None = None) -> Iterator[Docker]:
    """Run the newest dockerd with the image store of containerd until the block ends; its client has buildx and Compose."""
    settings = {"features": {"containerd-snapshotter": True}, **(config or {})}
    with docker_engine(folder, inside=inside, config=settings, programs=folders()) as engine:
        add_plugins(Path(engine.env["DOCKER_CONFIG"]))
        yield engine


@pytest.fixture(scope="session")
def built_engines() -> None:
    """Skips, with the names, where engines are not built."""
    if reason := missing():
        pytest.skip(reason)


@pytest.fixture(scope="session")
def buildkitd(built_engines: None, engine_namespace: Namespace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Buildkit]:
    """BuildKit inside the namespace: its emulators, no network."""
    with buildkit(folder_for(tmp_path_factory, "buildkit"), inside=engine_namespace) as running:
        yield running


@pytest.fixture(scope="session")
def host_buildkitd(built_engines: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Buildkit]:
    """BuildKit on the host itself: with the host's network, so that it reaches registries, and its emulators."""
    if not is_root():
        pytest.skip("buildkitd outside a user namespace needs root")
    with buildkit(folder_for(tmp_path_factory, "host-buildkit")) as running:
        yield running


@pytest.fixture(scope="session")
def newest_docker(built_engines: None, engine_namespace: Namespace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Docker]:
    """The newest Docker Engine inside the namespace: its emulators, no network."""
    if not is_root():
        pytest.skip("dockerd puts containers into control groups of its own, which only root may make")
    with newest_engine(folder_for(tmp_path_factory, "newest-docker"), inside=engine_namespace) as engine:
        yield engine


@pytest.fixture(scope="session")
def newest_networked_docker(
    built_engines: None, engine_network: NetworkNamespace, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Docker]:
    """The newest Docker Engine as users have it, with a bridge and published ports, inside ``engine_network``."""
    with newest_engine(folder_for(tmp_path_factory, "newest-networked-docker"), inside=engine_network, config=NETWORKED) as engine:
        yield engine


@pytest.fixture(scope="session")
def newest_host_docker(built_engines: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Docker]:
    """The newest Docker Engine on the host itself."""
    if not is_root():
        pytest.skip("dockerd outside a user namespace needs root")
    with newest_engine(folder_for(tmp_path_factory, "newest-host-docker")) as engine:
        yield engine


def _answers(running: Buildkit) -> bool:
    return running.buildctl("debug", "workers", check=False).returncode == 0
