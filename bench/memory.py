"""How much memory the supervisor of a running machine takes."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

from bench.figures import Figure, median, spread
from bench.machines import debian
from quarterdeck.core import process

_MIB = 1 << 20
_SETTLE_SECONDS = 5.0
_PYTHON = "print(open('/proc/self/status').read())"


def measure(runs: int) -> Iterator[Figure]:
    """Yield the resident memory of the supervisor, from ``runs`` samples while a Debian guest is ready."""
    with debian("memory") as home:
        home.qd("start", "memory")
        supervisor = home.wait_for("memory", "ready").supervisor
        assert supervisor is not None
        time.sleep(_SETTLE_SECONDS)  # the first samples and guest facts are part of what it holds
        samples = []
        for _ in range(max(3, runs)):
            samples.append(_resident(Path(f"/proc/{supervisor.pid}/status").read_text(encoding="utf-8")))
            time.sleep(1)
        home.stop("memory")
    python = _resident(process.run([sys.executable, "-c", _PYTHON]).text)
    value = median(samples)
    yield Figure("supervisor, resident", value, "MiB", "python, doing nothing", python, "below 60 MiB", value < 60, spread(samples))


def _resident(status: str) -> float:
    """Return VmRSS in MiB. Source: proc_pid_status(5), the unit is always kB of 1024 bytes."""
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) * 1024 / _MIB
