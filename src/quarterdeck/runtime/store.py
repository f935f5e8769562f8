"""The machines of this host: one folder each, nothing else to keep in step.

Specs are validated by pydantic, which takes longer to import than most commands take; it is imported where a spec is made or read.
"""

from __future__ import annotations

import difflib
import errno
import os
import re
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quarterdeck.core import clock, fs, paths
from quarterdeck.core.url import is_url
from quarterdeck.errors import HostError, QuarterdeckError, SpecError, UsageError
from quarterdeck.machine.layout import SOCKET_PATH_MAX, MachineLayout
from quarterdeck.runtime import statefile
from quarterdeck.runtime.state import State
from quarterdeck.runtime.statefile import CorruptStateError, StoredState

if TYPE_CHECKING:
    from quarterdeck.machine.spec import MachineSpec

_NAME = re.compile(r"[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?")
_LONGEST_SOCKET = "serial"
_STATE_BYTES = 64 << 10
"""More than state.json and what is pinned at the first start need."""


@dataclass(frozen=True, kw_only=True)
class MachineRecord:
    """One machine as ``qd ls`` shows it. ``since`` is in seconds since the epoch, ``memory`` in bytes, ``ports`` as in the HTTP API.

    ``supervised`` is false while QEMU lives on without a supervisor; then any command that needs the machine takes it over.
    """

    name: str
    state: State
    since: float = 0.0
    reason: str = ""
    arch: str = ""
    accelerator: str = ""
    cpus: int = 0
    memory: int = 0
    boot: str = ""
    viewer: str | None = None
    ports: tuple[dict[str, Any], ...] = ()
    supervised: bool = False
    qemu_alive: bool = False
    pid: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the record as the JSON object that ``qd ls --json`` prints."""
        return {**self.__dict__, "state": self.state.value, "ports": list(self.ports)}


class MachineStore:
    """The folder that holds one folder for each machine."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = root if root is not None else paths.machines()

    def create(self, spec: MachineSpec) -> MachineLayout:
        """Store a new machine and return where it lives; its name is made from what boots unless the spec has one.

        Relative paths in the spec are taken from the working folder, and key files are read, now.

        Raises:
            UsageError: the name is taken, or the folder's path is too long for Unix sockets.
            HostError: the folder cannot be written.
        """
        from quarterdeck.runtime.anchor import anchor

        fixed = anchor(spec, Path.cwd())
        for name in _candidates(fixed):
            layout = MachineLayout(self.root / name)
            _check_socket_path(layout)
            if self._create_at(layout, fixed):
                return layout
        raise _taken(str(fixed.name))

    def publish(self, spec: MachineSpec, fill: Callable[[MachineLayout], None]) -> MachineLayout:
        """Store a machine that is named ``spec.name`` and that ``fill`` gives its disks; it appears whole or not at all.

        Raises: as :meth:`create`, and what ``fill`` raises.
        """
        assert spec.name is not None
        layout = MachineLayout(self.root / spec.name)
        self.check_free(spec.name)
        if not self._create_at(layout, spec, fill):
            raise _taken(spec.name)
        return layout

    def name_of(self, spec: MachineSpec) -> str:
        """Return what a machine made of ``spec`` is called where nothing else is."""
        from quarterdeck.runtime.anchor import anchor

        return next(_candidates(anchor(spec, Path.cwd())))

    def check_free(self, name: str) -> None:
        """Raise UsageError when a machine cannot be called ``name``: it is no name, is taken, or its path is too long."""
        if not _NAME.fullmatch(name):
            raise UsageError("invalid-name", f"'{name}' cannot be the name of a machine", hint="small letters, digits, '.', '_' and '-'")
        if os.path.lexists(self.root / name):
            raise _taken(name)
        _check_socket_path(MachineLayout(self.root / name))

    def imagine(self, spec: MachineSpec) -> tuple[MachineLayout, MachineSpec]:
        """Return where :meth:`create` would put a machine made of ``spec`` now, and the spec as it would be stored; makes nothing.

        Raises:
            UsageError: as :meth:`create`, but for a name that is taken.
        """
        from quarterdeck.runtime.anchor import anchor

        fixed = anchor(spec, Path.cwd())
        free = (name for name in _candidates(fixed) if not os.path.lexists(self.root / name))
        name = next(free, fixed.name or _stem(fixed))
        layout = MachineLayout(self.root / name)
        _check_socket_path(layout)
        return layout, _named(fixed, name)

    def names(self) -> list[str]:
        """Return the names of all machines, sorted."""
        try:
            entries = os.listdir(self.root)
        except (FileNotFoundError, NotADirectoryError):
            return []
        return sorted(name for name in entries if _NAME.fullmatch(name) and (self.root / name).is_dir())

    def list(self) -> list[MachineRecord]:
        """Return all machines, sorted by name; one with a damaged state file is shown as ``unknown``."""
        return [_record(MachineLayout(self.root / name)) for name in self.names()]

    def get(self, name: str) -> MachineRecord:
        """Return one machine.

        Raises:
            UsageError: there is none of that name.
        """
        return _record(self.layout(name))

    def layout(self, name: str) -> MachineLayout:
        """Return where machine ``name`` lives.

        Raises:
            UsageError: there is none of that name.
        """
        if _NAME.fullmatch(name) and (self.root / name).is_dir():
            return MachineLayout(self.root / name)
        known = self.names()
        close = difflib.get_close_matches(name, known, n=3)
        hint = f"did you mean {' or '.join(close)}?" if close else "'qd ls' lists the machines of this host"
        raise UsageError("unknown-machine", f"there is no machine called '{name}'", hint=hint)

    def spec(self, name: str) -> MachineSpec:
        """Return the stored spec of machine ``name``.

        Raises:
            UsageError: there is no such machine, or its spec file is damaged.
        """
        return read_spec(self.layout(name))

    def remove(self, name: str) -> None:
        """Delete a machine with all its disks.

        Raises:
            UsageError: it is in use.
        """
        layout = self.layout(name)
        lock = lock_machine(layout)
        try:
            if _record(layout).qemu_alive:
                raise UsageError("machine-busy", f"machine '{name}' is running", hint=f"stop it first: qd stop {name}")
            _end_remains(layout)
            doomed = Path(tempfile.mkdtemp(dir=self.root, prefix=".removed-"))
            os.rename(layout.root, doomed / name)
        finally:
            os.close(lock)
        shutil.rmtree(doomed)
        from quarterdeck.runtime.storage import layers

        layers.sweep(layout.layers, self.root)  # those that only this machine stood on

    def _create_at(self, layout: MachineLayout, spec: MachineSpec, fill: Callable[[MachineLayout], None] | None = None) -> bool:
        try:
            self._make_root()
            return self._place(layout, spec, fill)
        except OSError as error:
            raise unwritable(error) from error

    def _make_root(self) -> None:
        """Make the folder so that QEMU's own user can pass through, but not list it."""
        self.root.mkdir(parents=True, exist_ok=True, mode=0o711)

    def _place(self, layout: MachineLayout, spec: MachineSpec, fill: Callable[[MachineLayout], None] | None) -> bool:
        """Fill a new folder beside the final place and rename it there, so that nobody sees half a machine."""
        from quarterdeck.machine.load import spec_to_json

        if os.path.lexists(layout.root):
            return False
        fresh = Path(tempfile.mkdtemp(dir=self.root, prefix=".new-"))
        try:
            named = _named(spec, layout.root.name)
            staged = MachineLayout(fresh)
            fs.write_atomic(staged.spec, spec_to_json(named).encode())
            statefile.write(staged.state, _first_state(named))
            if fill is not None:
                fill(staged)
            fresh.chmod(0o711)
            return _rename_new(fresh, layout.root)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)


def _end_remains(layout: MachineLayout) -> None:
    """End helpers and networks of a machine that was killed together with its supervisor."""
    from quarterdeck.runtime import network, takeover

    for stray in takeover.strays(layout):
        stray.send(signal.SIGTERM)
    network.tear_down_now(layout)


def _taken(name: str) -> UsageError:
    hint = f"choose another --name, or remove it with: qd rm {name}"
    return UsageError("name-taken", f"there is a machine called '{name}' already", hint=hint)


def lock_machine(layout: MachineLayout) -> int:
    """Take the machine's lock and return its descriptor; closing it, or dying, gives the lock back.

    Raises:
        UsageError: another process holds it, or the machine was removed meanwhile.
    """
    name = layout.root.name
    try:
        lock = fs.try_lock(layout.lock)
    except FileNotFoundError:
        raise UsageError("unknown-machine", f"there is no machine called '{name}'") from None
    except OSError as error:
        raise unwritable(error) from error
    if lock is None:
        raise UsageError("machine-busy", f"machine '{name}' is in use", reason="its supervisor runs", hint=f"stop it first: qd stop {name}")
    try:
        same = os.path.samestat(os.fstat(lock), os.stat(layout.lock))
    except FileNotFoundError:
        same = False
    if not same:
        os.close(lock)
        raise UsageError("unknown-machine", f"machine '{name}' was just removed")
    return lock


def check_writable(layout: MachineLayout) -> None:
    """Make sure that what becomes of a machine can be written down; else its start would fail without a word.

    Raises:
        HostError: the disk is full, or the folder may not be written.
    """
    try:
        with tempfile.TemporaryFile(dir=layout.root) as file:
            file.write(bytes(_STATE_BYTES))
    except OSError as error:
        raise unwritable(error) from error


def unwritable(error: OSError) -> HostError:
    """Return the error for a file of a machine that this user, or a full disk, does not let us write."""
    what = error.filename or "a file of the machine"
    hint = (
        "free some space"
        if error.errno == errno.ENOSPC
        else "machines belong to the user who made them; QUARTERDECK_HOME chooses another folder"
    )
    return HostError("not-writable", f"{what} cannot be written", reason=error.strerror or str(error), hint=hint)


def read_spec(layout: MachineLayout) -> MachineSpec:
    """Return the spec that ``layout`` stores.

    Raises:
        UsageError: the file is missing or damaged.
    """
    from quarterdeck.machine.load import spec_from_json

    name = layout.root.name
    try:
        return spec_from_json(layout.spec.read_bytes())
    except SpecError:
        raise
    except OSError as error:
        reason = error.strerror or "it cannot be read"
    except (ValueError, RecursionError, QuarterdeckError) as error:
        reason = str(error)
    raise UsageError(
        "damaged-spec", f"the stored spec of '{name}' cannot be used", reason=reason, hint=f"repair {layout.spec}, or: qd rm {name}"
    )


def _candidates(spec: MachineSpec) -> Iterator[str]:
    if spec.name is not None:
        yield spec.name
        return
    stem = _stem(spec)
    yield stem
    for number in range(2, 10_000):
        yield f"{stem}-{number}"


def _stem(spec: MachineSpec) -> str:
    """Make a name of what boots: ``debian:trixie`` gives ``debian``, ``/images/My Disk.qcow2.xz`` gives ``my-disk``."""
    source = spec.boot or next((disk.image for disk in spec.disks if disk.image), "")
    word = Path(source).name.partition(".")[0] if source.startswith("/") or is_url(source) else source.partition(":")[0]
    slug = re.sub(r"[^a-z0-9]+", "-", word.lower()).strip("-")[:50].strip("-")
    return slug or "machine"


def _named(spec: MachineSpec, name: str) -> MachineSpec:
    return replace(spec, name=name)


def _rename_new(source: Path, target: Path) -> bool:
    try:
        os.rename(source, target)
    except OSError:
        if os.path.lexists(target):
            return False
        raise
    return True


def _check_socket_path(layout: MachineLayout) -> None:
    if len(os.fsencode(layout.socket(_LONGEST_SOCKET))) > SOCKET_PATH_MAX:
        raise UsageError(
            "path-too-long",
            f"the path {layout.root} is too long",
            reason=f"Linux allows {SOCKET_PATH_MAX} bytes for the path of a Unix socket",
            hint="choose a shorter --name, or set QUARTERDECK_HOME to a shorter path",
        )


def _first_state(spec: MachineSpec) -> StoredState:
    return StoredState(
        state=State.CREATED,
        since=clock.now(),
        boot_id=clock.boot_id(),
        arch=spec.arch or "",
        cpus=spec.cpus if isinstance(spec.cpus, int) else 0,
        memory=spec.memory if isinstance(spec.memory, int) else 0,
        boot=spec.boot or "",
        # What was asked for, until it is planned: the web console opens on the screen's tab while the image is made.
        display=spec.display.kind.value,
    )


def _record(layout: MachineLayout) -> MachineRecord:
    name = layout.root.name
    try:
        state = statefile.read(layout.state).settled()
    except CorruptStateError as error:
        return MachineRecord(name=name, state=State.UNKNOWN, reason=str(error))
    qemu_alive = state.qemu is not None and state.qemu.alive()
    return MachineRecord(
        name=name,
        state=state.state,
        since=state.since,
        reason=state.reason,
        arch=state.arch,
        accelerator=state.accelerator,
        cpus=state.cpus,
        memory=state.memory,
        boot=state.boot,
        viewer=state.viewer,
        ports=state.ports,
        supervised=state.supervisor is not None and state.supervisor.alive(),
        qemu_alive=qemu_alive,
        pid=state.qemu.pid if state.qemu is not None and qemu_alive else None,
    )
