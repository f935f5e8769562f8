"""Measured seconds of earlier builds, step by step, which later plans show as estimates.

The file has one JSON object on each line, the newest last, and is bounded. A line that is damaged counts for nothing, and a file that
cannot be read is no history: estimates are a convenience, never a reason to fail.
"""

from __future__ import annotations

import json
import math
import os
import statistics
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from quarterdeck.build.nodes.model import Runs
from quarterdeck.core import fs, paths

LARGEST = 4 << 20
"""Bytes that the file may have before its older half is dropped; a line has about 130."""
_LATEST = 5
_LONGEST = 7 * 86400.0


@dataclass(frozen=True)
class Sample:
    """One measured step: its key (see :func:`quarterdeck.build.planning.keys.step_key`), how it ran, how many seconds, and when (epoch)."""

    key: str
    runs: Runs
    seconds: float
    time: float

    def to_line(self) -> bytes:
        """Return the sample as one line of the file."""
        value = {"key": self.key, "runs": self.runs.value, "seconds": round(self.seconds, 3), "time": round(self.time)}
        return json.dumps(value, separators=(",", ":")).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> Self | None:
        """Return the sample of a line, None when it is none."""
        try:
            value = json.loads(line)
            sample = cls(str(value["key"]), Runs(value["runs"]), float(value["seconds"]), float(value["time"]))
        except (ValueError, TypeError, KeyError, RecursionError, OverflowError):
            return None
        return sample if math.isfinite(sample.seconds) and 0 <= sample.seconds <= _LONGEST else None


@dataclass(frozen=True)
class History:
    """What was measured, by key and by how it ran; the newest of each last."""

    seconds: Mapping[tuple[str, Runs], tuple[float, ...]] = field(default_factory=dict)

    def find(self, key: str, runs: Runs) -> float | None:
        """Return the median seconds of the last five times that this step ran so, None when it never did."""
        known = self.seconds.get((key, runs))
        return statistics.median(known[-_LATEST:]) if known else None

    @classmethod
    def of(cls, samples: Iterable[Sample]) -> Self:
        """Return the history that these samples make, oldest first."""
        seconds: dict[tuple[str, Runs], tuple[float, ...]] = {}
        for sample in samples:
            known = seconds.get((sample.key, sample.runs), ())
            seconds[sample.key, sample.runs] = (*known[1 - _LATEST :], sample.seconds)
        return cls(seconds)


def history_file() -> Path:
    """Return where the history of this user stands."""
    return paths.home() / "builds" / "history.jsonl"


def load(file: Path | None = None) -> History:
    """Return what was measured so far; nothing when the file is missing or cannot be read."""
    try:
        content = (file or history_file()).read_bytes()
    except OSError:
        return History()
    return History.of(_samples(content))


def record(samples: Iterable[Sample], file: Path | None = None) -> None:
    """Add ``samples`` to the history; several builds may do it at the same time.

    Raises:
        OSError: the file cannot be written.
    """
    file = file or history_file()
    added = b"".join(sample.to_line() for sample in samples)
    if not added:
        return
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with fs.locked(file.with_suffix(".lock")):
        if _size(file) + len(added) > LARGEST:
            fs.write_atomic(file, _newer_half(file.read_bytes() if file.exists() else b"") + added[-LARGEST:])
        else:
            _append(file, added)


def _append(file: Path, added: bytes) -> None:
    """Add whole lines in one write; a line that a power cut left unfinished is ended first."""
    handle = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        size = os.fstat(handle).st_size
        whole = size == 0 or os.pread(handle, 1, size - 1) == b"\n"
        os.write(handle, added if whole else b"\n" + added)
    finally:
        os.close(handle)


def _newer_half(content: bytes) -> bytes:
    kept = content[-LARGEST // 2 :]
    return b"".join(sample.to_line() for sample in _samples(kept))


def _samples(content: bytes) -> Iterator[Sample]:
    for line in content.splitlines():
        sample = Sample.from_line(line)
        if sample is not None:
            yield sample


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0
