"""From a URL to an image that boots: ours, and the plain sequence of curl, ``sha256sum -c``, unpacking and ``qemu-img convert``.

Both fetch from the same server over a link of 1 Gbit/s; what the link alone takes is told beside the goal, since nothing can be faster.
Unpacking is what a careful user types: xz with all processors. Ours also makes the result durable, which the plain sequence does not.
The disk holds programs of this host, half of it is empty.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.figures import Figure, in_turns, median, seconds, spread
from bench.mirror import RATE
from quarterdeck.core import process
from quarterdeck.core.handle import ProcessHandle

_ROOT = Path(__file__).parents[1]
_DATA = 512 << 20
_SIZE = 1 << 30
_SECTOR = 512
_GOAL = 0.7
_POLL_SECONDS = 0.05
_IMPORTER = "tests.integration.media.library.importer"


@dataclass(frozen=True)
class Packing:
    """One way to pack a disk: its name, the command that packs ``disk.raw``, and the one that unpacks it (empty: qemu-img can)."""

    name: str
    pack: tuple[str, ...]
    unpack: tuple[str, ...]
    format: str = "raw"


_PACKINGS = (
    Packing("xz", ("sh", "-c", "xz -T2 -2 -c disk.raw > packed.xz"), ("xz", "-d", "-T0", "packed.xz")),
    Packing("zst", ("zstd", "-q", "-3", "disk.raw", "-o", "packed.zst"), ("zstd", "-q", "-d", "--rm", "packed.zst")),
    Packing("gz", ("sh", "-c", "gzip -4 -c disk.raw > packed.gz"), ("gzip", "-d", "packed.gz")),
    Packing("zip", ("zip", "-q", "-4", "packed.zip", "disk.raw"), ("unzip", "-q", "packed.zip")),
    Packing(
        "vmdk",
        ("qemu-img", "convert", "-f", "raw", "-O", "vmdk", "-o", "subformat=streamOptimized", "disk.raw", "packed.vmdk"),
        (),
        "vmdk",
    ),
)


def measure(runs: int) -> Iterator[Figure]:
    """Yield time and space of each packing, from ``runs`` samples each."""
    with tempfile.TemporaryDirectory(prefix="quarterdeck-bench-", dir="/var/tmp") as name:
        root = Path(name)
        _write_disk(root / "disk.raw")
        with _server(root) as base:
            for packing in _PACKINGS:
                yield from _measure(packing, root, base, runs)


def _measure(packing: Packing, root: Path, base: str, runs: int) -> Iterator[Figure]:
    process.run([*packing.pack], cwd=root)
    packed = root / f"packed.{packing.name}"
    sha256 = hashlib.sha256(packed.read_bytes()).hexdigest()
    url, work = f"{base}/{packed.name}", root / "work"
    spaces: list[list[int]] = [[], []]
    results: list[int] = []

    def ours() -> float:
        with _folder(work), _space(work, spaces[0]):
            took = seconds(lambda: process.run([sys.executable, "-m", _IMPORTER, url, sha256, work], cwd=_ROOT))
            results.append(_used(work))
        return took

    def plain() -> float:
        with _folder(work), _space(work, spaces[1]):
            return seconds(lambda: _plain(packing, url, sha256, work=work))

    mine, theirs = in_turns(runs, ours, plain)
    value, baseline = median(mine), median(theirs)
    yield Figure(
        f"import {packing.name}",
        value,
        "s",
        "curl, verify, unpack, convert",
        baseline,
        f"at most {_GOAL} x; the link alone takes {packed.stat().st_size / RATE:.2f} s",
        value <= _GOAL * baseline,
        spread(mine),
    )
    peak, both = max(spaces[0]) / 2**20, (_used(packed) + max(results)) / 2**20
    yield Figure(
        f"import {packing.name}, peak space",
        peak,
        "MiB",
        "image + result",
        both,
        "at most 1.01 x",
        peak <= 1.01 * both,
        spread(spaces[0]) / 2**20,
    )
    packed.unlink()


def _plain(packing: Packing, url: str, sha256: str, *, work: Path) -> None:
    process.run(["curl", "-s", "-f", "-O", url], cwd=work)
    process.run(["sha256sum", "-c", "--quiet"], cwd=work, input=f"{sha256}  packed.{packing.name}\n".encode())
    if packing.unpack:
        process.run([*packing.unpack], cwd=work)
    source = next(path for path in work.iterdir() if path.suffix != ".zip")
    process.run(["qemu-img", "convert", "-f", packing.format, "-O", "qcow2", source, work / "disk.qcow2"])
    for path in work.iterdir():
        if path.suffix != ".qcow2":
            path.unlink()


def _write_disk(path: Path) -> None:
    """A partition table, and what this host has in its folders of programs and libraries."""
    with path.open("wb") as disk:
        disk.truncate(_SIZE)
        disk.seek(446)
        disk.write(bytes([0x80, 0, 0, 0, 0x83, 0, 0, 0, 8, 0, 0, 0, 0, 0, 8, 0]) + bytes(48) + b"\x55\xaa")
        disk.seek(1 << 20)
        for data in _programs():
            disk.write(data[: _DATA - disk.tell()])
            if disk.tell() >= _DATA:
                return
            disk.seek(-disk.tell() % 4096, os.SEEK_CUR)


def _programs() -> Iterator[bytes]:
    for folder in ("/usr/bin", "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib", "/usr/share"):
        for file in sorted(Path(folder).glob("*")):
            if file.is_file() and not file.is_symlink():
                yield file.read_bytes()


@contextlib.contextmanager
def _server(root: Path) -> Iterator[str]:
    """A server of its own process, as a mirror is on another host."""
    with (root / "server.log").open("wb") as log:
        server: ProcessHandle = process.spawn([sys.executable, "-m", "bench.mirror", root], log=log.fileno(), cwd=_ROOT)
    try:
        while not (address := (root / "server.log").read_text(encoding="utf-8").partition("\n")[0]).startswith("http"):
            if server.wait_sync(0.1):
                raise RuntimeError(address)
        yield address
    finally:
        server.send(15)
        server.wait_sync(10)


@contextlib.contextmanager
def _folder(work: Path) -> Iterator[None]:
    work.mkdir()
    # What is still to be written from before is nobody's time here.
    os.sync()
    try:
        yield
    finally:
        shutil.rmtree(work)


@contextlib.contextmanager
def _space(folder: Path, peaks: list[int]) -> Iterator[None]:
    """Note the most space on disk that ``folder`` takes meanwhile."""
    ended = threading.Event()
    peak = 0

    def watch() -> None:
        nonlocal peak
        while not ended.wait(_POLL_SECONDS):
            peak = max(peak, _used(folder))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()
        peaks.append(peak)


def _used(path: Path) -> int:
    """Bytes on disk; a file with several names counts once."""
    files: Callable[[], Iterator[Path]] = lambda: iter([path]) if path.is_file() else path.rglob("*")  # noqa: E731
    blocks: dict[int, int] = {}
    for file in files():
        with contextlib.suppress(OSError):
            status = file.stat()
            blocks[status.st_ino] = status.st_blocks * _SECTOR
    return sum(blocks.values())
