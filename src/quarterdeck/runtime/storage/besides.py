"""What belongs to a machine's state besides its disks: the UEFI variables and the TPM. Copied whole, never through links."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from quarterdeck.core import fs
from quarterdeck.core.process import Identity
from quarterdeck.machine.layout import MachineLayout
from quarterdeck.runtime.logs import open_regular

_VARIABLES = "uefi-vars.fd"
_TPM = "tpm"


def save(layout: MachineLayout, folder: Path, *, tpm: bool = True) -> tuple[Path, ...]:
    """Copy them to ``folder`` and return the new files.

    Raises:
        OSError: something cannot be read or written.
    """
    wanted = [(layout.firmware_variables, folder / _VARIABLES)]
    wanted += [(path, folder / _TPM / path.name) for path in (_files(layout.tpm) if tpm else ())]
    return tuple(target for source, target in wanted if _copy(source, target))


def bring_back(layout: MachineLayout, folder: Path, identity: Identity | None, *, tpm: bool = True) -> None:
    """Put copies from ``folder`` in the place of what the machine has now; may be repeated. Raises: OSError."""
    if (folder / _VARIABLES).is_file():
        _replace(folder / _VARIABLES, layout.firmware_variables, identity)
    kept = _files(folder / _TPM) if tpm else []
    if kept:
        layout.tpm.mkdir(mode=0o700, exist_ok=True)
        if identity is not None:
            os.chown(layout.tpm, identity.uid, identity.gid, follow_symlinks=False)
        for old in _files(layout.tpm):
            old.unlink()
    for path in kept:
        _replace(path, layout.tpm / path.name, identity)


def _files(folder: Path) -> list[Path]:
    """Return the plain files of ``folder``; swtpm's lock begins with a dot."""
    if folder.is_symlink() or not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.is_file() and not path.is_symlink() and not path.name.startswith("."))


def _copy(source: Path, target: Path) -> bool:
    try:
        handle = open_regular(source)
    except FileNotFoundError:
        return False
    target.parent.mkdir(mode=0o700, exist_ok=True)
    with os.fdopen(handle, "rb") as reading, target.open("wb") as writing:
        shutil.copyfileobj(reading, writing)
        writing.flush()
        os.fsync(writing.fileno())
    return True


def _replace(source: Path, target: Path, identity: Identity | None) -> None:
    with os.fdopen(open_regular(source), "rb") as file:
        fs.write_atomic(target, file.read(), mode=0o600)
    if identity is not None:
        os.chown(target, identity.uid, identity.gid, follow_symlinks=False)
