"""Writes copies of emulators that have a CPU model of their own, and proves each before it is used."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from quarterdeck.binfmt.emulators.cpu_model import with_cpu_model
from quarterdeck.binfmt.emulators.find import Emulator
from quarterdeck.binfmt.programs.build import EXEC_STATUS, build, supported
from quarterdeck.binfmt.programs.probe import Probe
from quarterdeck.core import paths, process
from quarterdeck.core.fs import sync_directory, write_atomic
from quarterdeck.errors import HostError, QuarterdeckError, UsageError

_TIMEOUT = 10.0
_MODE = 0o755
_NAME = re.compile(r"qemu-[a-z0-9_]+-[0-9.]+-[0-9a-f]{12}", re.ASCII)


def install_copy(emulator: Emulator, model: str, folder: Path | None = None) -> Path:
    """Write a copy of ``emulator`` with CPU model ``model`` and return its path; its name tells version and content.

    Without ``folder`` it goes to :func:`quarterdeck.core.paths.emulators`. Before it has its name it must run a tiny program of its
    architecture, so what is registered works. Copies of other versions and models stay.

    Raises:
        UsageError: QEMU knows no such model.
        HostError: it cannot be read or written, does not run, or see :func:`~quarterdeck.binfmt.emulators.cpu_model.with_cpu_model`.
        BadElf: see :func:`~quarterdeck.binfmt.emulators.cpu_model.with_cpu_model`.
    """
    folder = paths.emulators() if folder is None else folder
    with _copying(emulator, folder):
        content = with_cpu_model(emulator.path.read_bytes(), model)
        target = folder / _name(emulator, content)
        if not _is_there(target, content):
            _write(emulator, content, target=target, model=model)
    return target


def copy_path(emulator: Emulator, model: str, folder: Path | None = None) -> Path:
    """Return where :func:`install_copy` would put a copy; writes nothing and does not ask QEMU whether it knows the model.

    Raises: as :func:`install_copy`.
    """
    folder = paths.emulators() if folder is None else folder
    with _copying(emulator, folder):
        return folder / _name(emulator, with_cpu_model(emulator.path.read_bytes(), model))


@contextlib.contextmanager
def _copying(emulator: Emulator, folder: Path) -> Iterator[None]:
    """Say in plain words why a copy cannot be made."""
    try:
        yield
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else str(error)
        reason = f"{error.filename or folder}: {why}"
        raise HostError("emulator-not-copied", f"{emulator.path} cannot be copied to {folder}", reason=reason) from None


def remove_unused(used: Iterable[str], folder: Path | None = None) -> list[Path]:
    """Remove the copies whose paths are not among ``used``, the interpreters that are registered now or at the next boot.

    Entries with flag F that are elsewhere, as in a namespace, keep the file that they have open.
    """
    folder = paths.emulators() if folder is None else folder
    kept = set(used)
    unused = [file for file in sorted(folder.glob("qemu-*")) if _NAME.fullmatch(file.name) and str(file) not in kept]
    for file in unused:
        file.unlink(missing_ok=True)
    return unused


def _write(emulator: Emulator, content: bytes, *, target: Path, model: str) -> None:
    target.parent.mkdir(mode=_MODE, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".proof-") as name:
        copy = Path(name) / target.name
        write_atomic(copy, content, mode=_MODE)
        _prove(emulator, copy, model=model)
        os.replace(copy, target)
    sync_directory(target.parent)


def _prove(emulator: Emulator, copy: Path, *, model: str) -> None:
    """Let the copy run a program that ends with a status of its own."""
    if Probe.EXEC not in supported(emulator.arch):
        return
    program = copy.with_name("program")
    write_atomic(program, build(emulator.arch, Probe.EXEC), mode=_MODE)
    problem = _problem(copy, program, model=model)
    if not problem:
        return
    if own := _problem(emulator.path, "-cpu", model, program, model=model):
        raise UsageError("unknown-cpu-model", f"{emulator.path} has no CPU model '{model}'", reason=own)
    raise HostError("emulator-copy-broken", f"a copy of {emulator.path} with a CPU model of its own does not run here", reason=problem)


def _problem(*argv: str | Path, model: str) -> str:
    """Run the program and return why it did not end as it should; empty when it did."""
    # A QEMU_CPU of our caller would win over the copy's model.
    env = {"QEMU_CPU": model} if "QEMU_CPU" in os.environ else None
    try:
        done = process.run(argv, timeout=_TIMEOUT, check=False, env=env, cwd="/")
    except QuarterdeckError as error:
        return error.reason or error.message
    words = done.stderr.decode(errors="backslashreplace").strip().splitlines()
    return "" if done.returncode == EXEC_STATUS else (words[-1] if words else process.describe_status(done.returncode))


def _name(emulator: Emulator, content: bytes) -> str:
    version = ".".join(str(part) for part in emulator.version)
    return f"qemu-{emulator.arch.user}-{version}-{hashlib.sha256(content).hexdigest()[:12]}"


def _is_there(target: Path, content: bytes) -> bool:
    try:
        return target.stat().st_mode & 0o7777 == _MODE and target.read_bytes() == content
    except FileNotFoundError:
        return False
