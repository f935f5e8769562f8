"""What emulators cost: installing, showing and proving all of them, and each start of an emulated program."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.foreign_roots import unpacked_root

from bench.figures import Figure, in_turns, median, seconds, spread
from bench.machines import QD, Home, empty_home
from quarterdeck.binfmt.emulators.copies import install_copy
from quarterdeck.binfmt.emulators.cpu_model import default_cpu_model
from quarterdeck.binfmt.emulators.find import find_emulator
from quarterdeck.binfmt.kernel.registration import Registration
from quarterdeck.binfmt.private.instance import Instance, open_instance
from quarterdeck.binfmt.programs.build import Probe, build
from quarterdeck.core import process
from quarterdeck.core.arch import find_arch, host_arch

_STARTS = 300
_INSTALL = ("binfmt", "install", "all", "--no-persist", "--no-prove")
_LINES = "for file in /usr/lib/binfmt.d/qemu-*.conf; do cat $file > /proc/sys/fs/binfmt_misc/register || exit; done"
_COUNT = "i=0; while [ $i -lt 30000 ]; do i=$((i+1)); done"
_START = f"""
import os, sys, time
for path in sys.argv[1:]:
    begin = time.perf_counter()
    for _ in range({_STARTS}):
        os.waitpid(os.posix_spawn(path, [path], {{}}), 0)
    print((time.perf_counter() - begin) / {_STARTS})
"""


def measure(runs: int) -> Iterator[Figure]:
    """Yield the figures, each from ``runs`` samples in a binfmt_misc of its own."""
    with empty_home() as home:
        yield _install(runs, home)
        with open_instance([]) as instance:
            process.run(instance.argv([QD, *_INSTALL]), env=home.environment)
            yield _one_command(runs, home, instance, name="status")
            yield _one_command(runs, home, instance, name="prove")
            yield _start(runs, instance)
        yield _cpu_model(runs)


def _install(runs: int, home: Home) -> Figure:
    ours, shell = in_turns(runs, lambda: _installation(home, [QD, *_INSTALL]), lambda: _installation(home, ["sh", "-c", _LINES]))
    value = median(ours)
    return Figure(
        "qd binfmt install all", value, "s", "Debian's lines written by a shell", median(shell), "below 2 s", value < 2, spread(ours)
    )


def _installation(home: Home, argv: list[str]) -> float:
    with open_instance([]) as instance:
        words = instance.argv(argv)
        return seconds(lambda: process.run(words, env=home.environment))


def _one_command(runs: int, home: Home, instance: Instance, *, name: str) -> Figure:
    inside = instance.argv([QD, "binfmt", name])
    ours, version = in_turns(
        runs, lambda: seconds(lambda: process.run(inside, env=home.environment)), lambda: seconds(lambda: process.run([QD, "--version"]))
    )
    value = median(ours)
    return Figure(f"qd binfmt {name}, all", value, "s", "qd --version", median(version), "below 2 s", value < 2, spread(ours))


def _start(runs: int, instance: Instance) -> Figure:
    """Return what one start of a program that does nothing but end costs, emulated and native."""
    host = host_arch()
    foreign = find_arch("x86_64" if host.name == "aarch64" else "aarch64")
    with tempfile.TemporaryDirectory() as name:
        paths = [_program(Path(name) / arch.name, build(arch, Probe.EXEC)) for arch in (foreign, host)]
        samples = [process.run(instance.argv([sys.executable, "-c", _START, *paths])).text.split() for _ in range(runs)]
    emulated, native = ([float(sample[index]) * 1000 for sample in samples] for index in (0, 1))
    return Figure(
        f"start of a program of {foreign.name}", median(emulated), "ms", f"of {host.name}", median(native), "none", True, spread(emulated)
    )


def _cpu_model(runs: int) -> Figure:
    """Return how long a loop in the shell of an arm64 Debian takes with the CPU model that we choose, against QEMU's own default."""
    emulator = find_emulator(find_arch("aarch64"))
    model = default_cpu_model(emulator.arch, emulator.version)
    with tempfile.TemporaryDirectory() as name:
        root = Path(name) / "root"
        root.mkdir()
        process.run(["tar", "-xf", unpacked_root("aarch64"), "-C", root])
        copy = emulator.path if model is None else install_copy(emulator, model, Path(name) / "copies")
        chosen, plain = in_turns(runs, lambda: _loop(root, copy), lambda: _loop(root, emulator.path))
    value = median(chosen)
    title = f"loop in an arm64 shell, QEMU {emulator.version[0]}.{emulator.version[1]}"
    return Figure(title, value, "s", "QEMU's own CPU model", median(plain), "at most 1.0 x", value <= median(plain) * 1.05, spread(chosen))


def _loop(root: Path, emulator: Path) -> float:
    with open_instance([Registration.of(find_arch("aarch64"), str(emulator), "POCF")]) as instance:
        words = instance.argv(["chroot", root, "/usr/bin/dash", "-c", _COUNT])
        return seconds(lambda: process.run(words))


def _program(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    path.chmod(0o755)
    return path
