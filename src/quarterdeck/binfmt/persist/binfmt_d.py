"""Files of systemd's binfmt.d: which registers what at boot, and ours among them.

A file in /etc hides one of the same name in /usr/lib; a link to /dev/null hides it without anything in its place. Source: binfmt.d(5).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from quarterdeck.binfmt.kernel.registration import Registration, check_name
from quarterdeck.core import fs
from quarterdeck.errors import HostError
from quarterdeck.host.files import below, entries, exists, read_text

OWN_FOLDER = "/etc/binfmt.d"
FOLDERS = (OWN_FOLDER, "/run/binfmt.d", "/usr/local/lib/binfmt.d", "/usr/lib/binfmt.d")
"""The first that has a file of some name wins."""
MARK = "# Written by Quarterdeck"


@dataclass(frozen=True)
class Line:
    """One registration of a file that counts: the entry's name, its interpreter and flags, and the file's path."""

    name: str
    interpreter: str
    flags: str
    file: str
    ours: bool


def lines(root: Path = Path("/")) -> list[Line]:
    """Return what systemd registers at boot."""
    return [line for path in _effective(root) for line in _parse(path, read_text(root, path))]


def path_of(name: str) -> str:
    """Return the file that keeps entry ``name``."""
    check_name(name)
    return f"{OWN_FOLDER}/{name}.conf"


def text_of(registration: Registration) -> str:
    """Return what the file of a registration holds."""
    return f"{MARK}; 'qd binfmt uninstall {registration.name}' removes it.\n{registration.line().decode(errors='surrogateescape')}\n"


def is_ours(name: str, root: Path = Path("/")) -> bool:
    """Whether the file that keeps entry ``name`` was written by us."""
    return read_text(root, path_of(name)).startswith(MARK)


def write(registration: Registration, root: Path = Path("/")) -> None:
    """Make the file that keeps a registration, or replace ours.

    Raises:
        HostError: it cannot be written, or somebody else wrote a file of that name.
    """
    path = path_of(registration.name)
    file = below(root, path)
    if (exists(root, path) or file.is_symlink()) and not is_ours(registration.name, root):
        reason = "a file that we did not write is there, and it would be lost"
        hint = f"look at {path}; move it away, or install with --no-persist"
        raise HostError("binfmt-file-foreign", f"{path} cannot be written", reason=reason, hint=hint)
    try:
        file.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        fs.write_atomic(file, text_of(registration).encode(errors="surrogateescape"), mode=0o644)
    except OSError as error:
        raise _unwritable(path, error) from None


def delete(name: str, root: Path = Path("/")) -> bool:
    """Remove our file of entry ``name``; return False where there is none, or it is not ours.

    Raises:
        HostError: it cannot be removed.
    """
    if not is_ours(name, root):
        return False
    try:
        below(root, path_of(name)).unlink()
    except OSError as error:
        raise _unwritable(path_of(name), error) from None
    return True


def _unwritable(path: str, error: OSError) -> HostError:
    reason = os.strerror(error.errno) if error.errno else str(error)
    hint = "install with --no-persist where /etc cannot be written"
    return HostError("binfmt-file", f"{path} cannot be written or removed", reason=reason, hint=hint)


def _effective(root: Path) -> list[str]:
    chosen: dict[str, str] = {}
    for folder in FOLDERS:
        for file in entries(root, folder):
            if file.endswith(".conf"):
                chosen.setdefault(file, f"{folder}/{file}")
    return [chosen[file] for file in sorted(chosen)]


def _parse(path: str, text: str) -> list[Line]:
    ours = text.startswith(MARK) and path.startswith(OWN_FOLDER)
    found = []
    for line in text.splitlines():
        if not line or line[0] in "#;":
            continue
        # The first character separates the fields: :name:type:offset:magic:mask:interpreter:flags
        fields = line[1:].split(line[0])
        if len(fields) == 7:
            found.append(Line(fields[0], fields[5], fields[6].strip(), path, ours))
    return found
