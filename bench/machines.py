"""Machines to measure: their own home, so that nobody's machines are touched, with images that are kept between runs."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from quarterdeck.core import process
from quarterdeck.errors import DeadlineError
from quarterdeck.machine.layout import MachineLayout
from quarterdeck.runtime import statefile
from quarterdeck.runtime.statefile import StoredState

QD = str(Path(sys.executable).with_name("qd"))
_POLL_SECONDS = 0.01
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
        raise DeadlineError("bench-machine", f"machine {name} is '{self.state(name).state.value}', not {' or '.join(states)}")

    def stop(self, name: str) -> None:
        self.qd("stop", name)
        self.wait_for(name, *_ENDED)


@contextlib.contextmanager
def empty_home() -> Iterator[Home]:
    """Yield a home without machines, which is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="qd-bench-") as folder:
        yield Home(Path(folder))


@contextlib.contextmanager
def debian(name: str, *options: str) -> Iterator[Home]:
    """Yield a home with a Debian machine that has booted once and is stopped; the image is kept, the machine is not."""
    root = cache() / "bench"
    root.mkdir(parents=True, exist_ok=True)
    home = Home(root)
    with contextlib.suppress(process.ProcessError):  # one that an interrupted run left behind
        home.qd("rm", "--yes", "--force", name)
    home.qd("run", "debian", "--name", name, "--detach", "--viewer", "0", *options)
    try:
        home.wait_for(name, "ready")
        home.stop(name)
        yield home
    finally:
        home.qd("rm", "--yes", "--force", name)
