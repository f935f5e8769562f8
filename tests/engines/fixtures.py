"""The engines as fixtures, one of each for a whole session: import those that a package uses into its conftest.py."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.engines import namespace as namespaces
from tests.engines.base import BaseImage, base_image
from tests.engines.daemon import is_root
from tests.engines.docker import NETWORKED, Docker, docker_engine
from tests.engines.namespace import Namespace
from tests.engines.network import NetworkNamespace, network_namespace
from tests.engines.network import missing as missing_network
from tests.engines.podman import Storage, storage
from tests.engines.registry import Registry, registry
from tests.open_folders import open_to_others

from quarterdeck.core.arch import host_arch


@pytest.fixture(scope="session")
def engine_namespace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Namespace]:
    """A user namespace with a binfmt_misc of its own; skipped with the reason where the kernel cannot."""
    if reason := namespaces.missing():
        pytest.skip(reason)
    with namespaces.namespace(folder_for(tmp_path_factory, "namespace")) as held:
        yield held


@pytest.fixture
def empty_binfmt(engine_namespace: Namespace) -> Iterator[Namespace]:
    """The namespace with nothing registered, before and after the test."""
    engine_namespace.clear()
    yield engine_namespace
    engine_namespace.clear()


@pytest.fixture(scope="session")
def docker(engine_namespace: Namespace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Docker]:
    """Docker Engine inside the namespace: emulators that its containers register are the namespace's."""
    with docker_engine(folder_for(tmp_path_factory, "docker"), inside=engine_namespace) as engine:
        yield engine


@pytest.fixture(scope="session")
def host_docker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Docker]:
    """Docker Engine on the host itself: with the host's network and emulators."""
    if not is_root():
        pytest.skip("dockerd outside a user namespace needs root")
    with docker_engine(folder_for(tmp_path_factory, "host-docker")) as engine:
        yield engine


@pytest.fixture(scope="session")
def engine_network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NetworkNamespace]:
    """A network namespace in which engines publish ports and filter packets; skipped with the reason where there can be none."""
    if reason := missing_network():
        pytest.skip(reason)
    with network_namespace(folder_for(tmp_path_factory, "network")) as held:
        yield held


@pytest.fixture(scope="session")
def networked_docker(engine_network: NetworkNamespace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Docker]:
    """Docker Engine as users have it, with a bridge, names and published ports, all inside ``engine_network``."""
    with docker_engine(folder_for(tmp_path_factory, "networked-docker"), inside=engine_network, config=NETWORKED) as engine:
        yield engine


@pytest.fixture(scope="session")
def podman(engine_namespace: Namespace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storage]:
    """podman and buildah as root of the namespace."""
    with storage(folder_for(tmp_path_factory, "podman"), inside=engine_namespace) as engine:
        yield engine


@pytest.fixture(scope="session")
def host_podman(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storage]:
    """podman and buildah of this user, with the host's network and emulators."""
    with storage(folder_for(tmp_path_factory, "host-podman")) as engine:
        yield engine


@pytest.fixture(scope="session")
def loopback_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry that the host's engines reach; those of the namespace have a network of their own."""
    with registry(folder_for(tmp_path_factory, "registry")) as running:
        yield running


@pytest.fixture(scope="session")
def debian() -> BaseImage:
    """A small Debian for this host's architecture."""
    return base_image(host_arch().name)


def folder_for(factory: pytest.TempPathFactory, name: str) -> Path:
    """Return a new folder for an engine's data; containers with other users walk through it."""
    return open_to_others(factory.mktemp(name))
