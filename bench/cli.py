"""How quick the command line answers: ``qd --version``, and ``qd ls`` with 500 machines."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator

from bench.figures import Figure, in_turns, median, seconds, spread
from bench.machines import QD, Home, empty_home
from quarterdeck.core import process
from quarterdeck.machine.spec import MachineSpec
from quarterdeck.runtime.store import MachineStore

_MACHINES = 500


def measure(runs: int) -> Iterator[Figure]:
    """Yield the figures of the command line, from ``runs`` times five samples each."""
    yield _version(runs * 5)
    yield _listing(runs)


def _version(runs: int) -> Figure:
    version, python = in_turns(
        runs,
        lambda: seconds(lambda: process.run([QD, "--version"])),
        lambda: seconds(lambda: process.run([sys.executable, "-c", "pass"])),
    )
    value = median(version)
    return Figure("qd --version", value, "s", "python -c pass", median(python), "below 0.15 s", value < 0.15, spread(version))


def _listing(runs: int) -> Figure:
    with empty_home() as one, empty_home() as many:
        _fill(one, 1)
        _fill(many, _MACHINES)
        listed, single = in_turns(runs, lambda: seconds(lambda: many.qd("ls")), lambda: seconds(lambda: one.qd("ls")))
    value = median(listed)
    return Figure(f"qd ls, {_MACHINES} machines", value, "s", "qd ls, 1 machine", median(single), "below 1 s", value < 1, spread(listed))


def _fill(home: Home, count: int) -> None:
    """Make ``count`` stopped machines: one by the store, the others as copies of its folder."""
    first = MachineStore(home.root / "machines").create(MachineSpec(boot="debian", name="machine-0")).root
    for number in range(1, count):
        shutil.copytree(first, first.with_name(f"machine-{number}"), ignore=shutil.ignore_patterns("*.sock"))
