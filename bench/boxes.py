"""Machines in containers and beside them, with the tests' smallest guest: the image of this checkout in an engine of its own."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.boot.container_lab import Box, ContainerLab, Guest, container_lab
from tests.engines.base import base_image
from tests.engines.docker import NETWORKED, docker_engine
from tests.engines.image import built_machine
from tests.engines.network import NetworkNamespace, missing, network_namespace
from tests.tiny_guest import tiny_image

from bench.machines import Home, empty_home
from quarterdeck.core.arch import host_arch
from quarterdeck.errors import HostError

SMALL = ("--memory", "256M", "--cpus", "1", "--firmware", "bios", "--accel", "tcg")


@dataclass(frozen=True)
class Yard:
    """A Docker Engine in a network namespace of its own, the image in it, and a home for machines beside it."""

    namespace: NetworkNamespace
    lab: ContainerLab
    home: Home

    @contextmanager
    def box(self, name: str, *options: str) -> Iterator[Box]:
        """Run a container until its guest is ready, and the block."""
        with self.lab.box(name, *options) as box:
            self.await_ready(box)
            yield box

    def await_ready(self, box: Box) -> None:
        """Wait for the guest's agent without asking the engine, which costs processor time."""
        while not (box.storage / "machines/boot/state.json").exists():
            time.sleep(0.02)
        Home(box.storage).wait_for("boot", "ready")

    @contextmanager
    def machine(self, name: str, *options: str) -> Iterator[Guest]:
        """Run the same guest by ``qd run`` until it is ready, and the block."""
        try:
            self.home.qd("run", str(tiny_image()), "--name", name, "--detach", "--viewer", "0", *SMALL, *options)
            self.home.wait_for(name, "ready")
            yield Guest(self.home.layout(name).api_socket)
        finally:
            self.home.qd("rm", "--yes", "--force", name)


@contextmanager
def yard() -> Iterator[Yard]:
    """Have all that until the block ends; the first time the image is built, in some minutes.

    Raises:
        HostError: not as root.
    """
    if reason := missing():
        raise HostError("bench-needs-root", "machines in containers are not measured", reason=reason, hint="run it as root")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="qd-yard-")))
        folder.chmod(0o755)
        namespace = stack.enter_context(network_namespace(folder))
        engine = stack.enter_context(docker_engine(folder, inside=namespace, config=NETWORKED))
        with built_machine(base_image(host_arch().name), folder) as archive:
            engine.load(archive)
        yield Yard(namespace, stack.enter_context(container_lab(engine)), stack.enter_context(empty_home()))
