"""Looks at a container's folders: everything that may boot, be a disk, or have been kept by the image that was there before. Reads only."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from quarterdeck.core.arch import host_arch
from quarterdeck.errors import QuarterdeckError, UsageError
from quarterdeck.machine.environment.found import FileKind, Found, FoundFile
from quarterdeck.machine.environment.kinds import strip
from quarterdeck.machine.environment.read import DEFAULT_SPEC
from quarterdeck.machine.environment.stages.boot import DEFAULT_STORAGE
from quarterdeck.machine.layout import MachineLayout
from quarterdeck.media import disk
from quarterdeck.media.bootable import disk_bootable
from quarterdeck.media.formats import ImageFormat, open_image

_TOP = re.compile(r"(boot|custom|start|mount|drivers|disk[1-6]?)(\.[A-Za-z0-9]+)?|storage[2-6]?|shared", re.IGNORECASE)
_DISK = re.compile(r".*\.(img|raw|qcow2)", re.IGNORECASE)
_OTHER = re.compile(r".*\.(iso|rom|vars|tpm|mac)", re.IGNORECASE)
_OURS = frozenset({"machines", "images", "layers", "cache", "library"})
_NUMBERS = range(2, 7)
_BLANK = 100 * 1024
"""Bytes; a disk that begins with so many zeros was never installed on."""
_LONGEST_TEXT = 1 << 20
_MOST_FOLDERS = 200


def find(env: Mapping[str, str], root: Path = Path("/")) -> Found:
    """Return what lies in the container's folders.

    Args:
        env: its variables; some name folders and files.
        root: the folder that stands for ``/``.

    Raises:
        UsageError: a text file that a variable names cannot be read.
    """
    storage = strip(env.get("STORAGE", "")) or DEFAULT_STORAGE
    paths = list(dict.fromkeys(_paths(env, root, storage)))
    files = asyncio.run(_look_at_all(paths))
    folders = [storage, *(f"/storage{number}" for number in _NUMBERS)]
    return Found(
        arch=host_arch().name,
        root=str(root),
        files=tuple(files),
        free=tuple(_free(root, folders)),
        texts=tuple(_texts(env, root, files)),
        lowest_port=_lowest_port(),
    )


def _paths(env: Mapping[str, str], root: Path, storage: str) -> Iterator[Path]:
    yield from _inside(root, _TOP)
    devices = [strip(env.get(f"DEVICE{number}", "")) for number in ("", *range(1, 7))]
    for name in (*devices, *(f"/dev/disk{number}" for number in range(1, 7))):
        if name.startswith("/"):
            yield _at(root, name)
    yield _at(root, "/run/start.sh")
    home = _at(root, storage)
    yield from _image_files(home)
    for folder in [path for path in _entries(home) if os.path.isdir(path) and path.name not in _OURS][:_MOST_FOLDERS]:
        yield folder
        yield from _image_files(folder)
    for number in _NUMBERS:
        yield from _image_files(_at(root, f"/storage{number}"))
    states = (MachineLayout(path).tpm_file for path in _entries(_at(root, DEFAULT_STORAGE) / "machines"))
    yield from (state for state in states if os.path.exists(state))


def _at(root: Path, path: str) -> Path:
    return root / path.lstrip("/")


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:  # not mounted, or closed to us: then nothing is found there
        return []


def _inside(folder: Path, pattern: re.Pattern[str]) -> list[Path]:
    return [path for path in _entries(folder) if pattern.fullmatch(path.name)]


def _image_files(folder: Path) -> list[Path]:
    return [path for path in _entries(folder) if _DISK.fullmatch(path.name) or _OTHER.fullmatch(path.name)]


async def _look_at_all(paths: Iterable[Path]) -> list[FoundFile]:
    plain = [file for path in paths if (file := _look_at(path)) is not None]
    return [await _look_into(file) if _is_disk(file) else file for file in plain]


def _look_at(path: Path) -> FoundFile | None:
    try:
        status = path.stat()
    except OSError:  # gone meanwhile, or a link that leads nowhere
        return None
    return FoundFile(path=str(path), kind=_kind(status.st_mode), size=status.st_size)


def _is_disk(file: FoundFile) -> bool:
    return file.kind is FileKind.BLOCK or (file.kind is FileKind.FILE and file.size > 0 and _DISK.fullmatch(file.name) is not None)


def _kind(mode: int) -> FileKind:
    if stat.S_ISREG(mode):
        return FileKind.FILE
    if stat.S_ISDIR(mode):
        return FileKind.FOLDER
    return FileKind.BLOCK if stat.S_ISBLK(mode) else FileKind.OTHER


async def _look_into(file: FoundFile) -> FoundFile:
    """A disk that cannot be read counts as one with data, so that nothing is laid over it."""
    path = Path(file.path)
    try:
        found = await disk.info(path)
        head = await disk.read_head(found) if found.format is not ImageFormat.ISO else b""
    except QuarterdeckError:
        return replace(file, blank=_is_blank(path))
    boots = disk_bootable(head)
    blank = bool(head) and not any(head[:_BLANK])
    return replace(file, size=found.virtual_size, format=found.format.value, blank=blank, uefi=boots.uefi, bios=boots.bios)


def _is_blank(path: Path) -> bool:
    try:
        with open_image(path) as file:
            return not any(file.read(_BLANK))
    except (OSError, QuarterdeckError):
        return False


def _free(root: Path, folders: Iterable[str]) -> Iterator[tuple[str, int]]:
    for folder in folders:
        path = _at(root, folder)
        try:
            yield str(path), shutil.disk_usage(path).free
        except OSError:  # not mounted
            continue


def _texts(env: Mapping[str, str], root: Path, files: Iterable[FoundFile]) -> Iterator[tuple[str, str]]:
    named = [strip(env.get(name, "")) for name in ("SPEC", "PROVISION_PASSWORD_FILE")]
    for name in (*named, DEFAULT_SPEC):
        path = _at(root, name)
        if name.startswith("/") and os.path.isfile(path):
            yield str(path), _read(path)
    for file in files:
        if file.name == "qemu.mac" and file.kind is FileKind.FILE:
            yield file.path, _read(Path(file.path))


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(_LONGEST_TEXT + 1)
        if len(content) > _LONGEST_TEXT:
            raise UsageError("file-too-large", f"{path} is larger than 1 MiB")
        return content.decode()
    except UnicodeDecodeError as error:
        raise UsageError("file-unreadable", f"{path} cannot be read", reason="it is not UTF-8 text") from error
    except OSError as error:
        raise UsageError("file-unreadable", f"{path} cannot be read", reason=error.strerror or "") from error


def _lowest_port() -> int:
    try:
        return int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text())
    except (OSError, ValueError):
        return 1024
