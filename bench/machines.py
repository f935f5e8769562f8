"""Machines to measure: their own home, so that nobody's machines are touched, with images that are kept between runs."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from quarterdeck.core import process
from quarterdeck.core.arch import host_arch
from quarterdeck.errors import DeadlineError
from quarterdeck.machine.layout import MachineLayout
from quarterdeck.runtime import statefile
from quarterdeck.runtime.statefile import StoredState

QD = str(Path(sys.executable).with_name("qd"))
_POLL_SECONDS = 0.05
_READY_SECONDS = 300.0
_ENDED = frozenset({"stopped", "crashed", "panicked"})


def cache() -> Path:
    """Return the folder of guests that tests and benchmarks keep."""
    override = os.environ.get("QUARTERDECK_TEST_CACHE")
    return Path(override) if override else Path.home() / ".cache" / "quarterdeck-tests"


class Home:
    """A QUARTERDECK_HOME of our own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.environment: Mapping[str, str] = {"QUARTERDECK_HOME": str(root), "NO_COLOR": "1"}

    def qd(self, *words: str, timeout: float = 900) -> str:
        """Run ``qd`` to its end and return what it printed."""
        return process.run([QD, *words], env=self.environment, timeout=timeout).text

    def layout(self, name: str) -> MachineLayout:
        return MachineLayout(self.root / "machines" / name)

    def state(self, name: str) -> StoredState:
        return statefile.read(self.layout(name).state)

    def wait_for(self, name: str, *states: str) -> StoredState:
        """Return the machine's state as soon as it is one of ``states``.

        Raises:
            DeadlineError: it is not within five minutes, or the machine ended before.
        """
        limit = time.monotonic() + _READY_SECONDS
        while time.monotonic() < limit:
            state = self.state(name)
            if state.state.value in states:
                return state
            if state.state.value in _ENDED:
                break
            time.sleep(_POLL_SECONDS)
        state = self.state(name)
        raise DeadlineError("bench-machine", f"machine {name} is '{state.state.value}', not {' or '.join(states)}", reason=state.reason)

    def stop(self, name: str) -> None:
        self.qd("stop", name)
        self.wait_for(name, *_ENDED)


@contextlib.contextmanager
def empty_home() -> Iterator[Home]:
    """Yield a home without machines, which is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="qd-bench-") as folder:
        root = Path(folder)
        root.chmod(0o711)  # the user that QEMU runs as must be able to enter
        yield Home(root)


@contextlib.contextmanager
def debian(name: str, *options: str) -> Iterator[Home]:
    """Yield a home with a Debian machine that has booted once and is stopped; its image is kept for the next run."""
    with empty_home() as home:
        _copy_images(cache() / "images", home.root / "images")
        try:
            home.qd("run", "debian", "--name", name, "--detach", "--viewer", "0", *options)
            _copy_images(home.root / "images", cache() / "images")
            home.wait_for(name, "ready")
            home.stop(name)
            yield home
        finally:
            home.qd("rm", "--yes", "--force", name)


def _copy_images(source: Path, target: Path) -> None:
    """Copy the Debian images of this host's architecture that are not there yet.

    A link would not do: the user that QEMU runs as cannot enter the home folder that the cache lies in.
    """
    target.mkdir(parents=True, exist_ok=True)
    for image in source.glob(f"debian-*-{host_arch().name}-*"):
        if not (target / image.name).exists():
            part = target / f".{image.name}.copy-{os.getpid()}"
            shutil.copytree(image, part)
            part.rename(target / image.name)
