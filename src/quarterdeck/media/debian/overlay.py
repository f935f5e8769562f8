"""Files laid into a root file system as a tar, so that nothing is written there by hand or by the wrong user."""

from __future__ import annotations

import io
import tarfile
from dataclasses import dataclass


@dataclass(frozen=True)
class OverlayFile:
    """A file owned by root: absolute path, text, mode; or a symbolic link when ``link`` names its target."""

    path: str
    text: str = ""
    mode: int = 0o644
    link: str = ""


def to_tar(files: tuple[OverlayFile, ...]) -> bytes:
    """Return an uncompressed tar of ``files`` and the folders above them; the same files give the same bytes."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for folder in _folders(files):
            tar.addfile(_entry(folder, tarfile.DIRTYPE, 0o755))
        for file in files:
            _add(tar, file)
    return stream.getvalue()


def _folders(files: tuple[OverlayFile, ...]) -> list[str]:
    folders: set[str] = set()
    for file in files:
        parts = file.path.strip("/").split("/")[:-1]
        folders |= {"/".join(parts[: count + 1]) for count in range(len(parts))}
    return sorted(folders)


def _add(tar: tarfile.TarFile, file: OverlayFile) -> None:
    if file.link:
        entry = _entry(file.path, tarfile.SYMTYPE, 0o777)
        entry.linkname = file.link
        tar.addfile(entry)
        return
    content = file.text.encode()
    entry = _entry(file.path, tarfile.REGTYPE, file.mode)
    entry.size = len(content)
    tar.addfile(entry, io.BytesIO(content))


def _entry(path: str, kind: bytes, mode: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo("./" + path.strip("/"))
    entry.type, entry.mode, entry.uid, entry.gid, entry.mtime = kind, mode, 0, 0, 0
    entry.uname = entry.gname = "root"
    return entry
