"""Disks: those that lie there already, in place; and new ones."""

from __future__ import annotations

from typing import Any

from quarterdeck.core.size import format_size
from quarterdeck.machine.environment.draft import Draft
from quarterdeck.machine.environment.found import FileKind, FoundFile
from quarterdeck.machine.environment.stages.boot import Source, device, storage
from quarterdeck.machine.environment.wish import DiskFile

_DEFAULT_SIZE = 64 << 30
_SPARE = 1 << 30
"""Bytes that 'max' leaves free."""
_BUSES = {"ide": "sata", "scsi": "virtio-scsi", "blk": "virtio-blk", "auto": None, "none": None}
_DISC_BUSES = frozenset({"sata", "ide", "usb", "virtio-scsi"})
_OLD_BUS, _OLD_ROTATION = "virtio-scsi", 1
"""What guests of the old image know their disks as, unless they were told otherwise."""
_NUMBERS = range(2, 7)
_DISCS = ("start.iso", "mount.iso", "drivers.iso")


def disks(draft: Draft, source: Source) -> None:
    """Write all disks and drives."""
    _first(draft, source)
    _beside(draft, source)
    for number in _NUMBERS:
        _further(draft, number)
    _discs(draft, source)
    _shared(draft)
    _media(draft)


def _first(draft: Draft, source: Source) -> None:
    if draft.said("disks", 0, "image"):
        return
    if source.disk is not None:
        _in_place(draft, 0, source.disk, "DISK_SIZE")
        return
    size = _size(draft, "DISK_SIZE", "/")
    if size is not None:
        draft.put(("disks", 0, "size"), size, "DISK_SIZE")
    elif source.sized:
        draft.default(("disks", 0, "size"), _DEFAULT_SIZE)
    _new(draft, 0)


def _beside(draft: Draft, source: Source) -> None:
    if source.beside is None:
        return
    if source.beside_in_place:
        _in_place(draft, 1, source.beside, "DISK_SIZE" if source.boot else "BOOT")
    else:
        draft.put(("disks", 1, "image"), source.beside.path, "BOOT")
        _device_options(draft, 1, old=False)


def _further(draft: Draft, number: int) -> None:
    name, folder = f"DISK{number}_SIZE", f"/storage{number}"
    index = max(1, len(draft.data.get("disks", ())))
    found = device(draft, number) or _mounted(draft, number) or _old(draft, number)
    if found is not None:
        _in_place(draft, index, found, name)
        return
    has_folder = _is_folder(draft, folder)
    size = _size(draft, name, folder if has_folder else "/")
    if has_folder:
        _make(draft, index, number, size or _DEFAULT_SIZE)
    elif size is not None:
        draft.put(("disks", index, "size"), size, name)
        _new(draft, index)


def _is_folder(draft: Draft, path: str) -> bool:
    file = draft.found.at(path)
    return file is not None and file.kind is FileKind.FOLDER


def _mounted(draft: Draft, number: int) -> FoundFile | None:
    files = (draft.found.at(f"/disk{number}.{suffix}") for suffix in ("qcow2", "img", "raw"))
    return next((file for file in files if file is not None and file.kind is FileKind.FILE), None)


def _old(draft: Draft, number: int) -> FoundFile | None:
    name = draft.text("DISK_NAME") or "data"
    files = (draft.found.at(f"/storage{number}/{name}{number}.{suffix}") for suffix in ("qcow2", "img"))
    return next((file for file in files if file is not None and file.kind is FileKind.FILE and file.size), None)


def _in_place(draft: Draft, index: int, found: FoundFile, name: str) -> None:
    """Use a disk as it is: its file is written by the guest, and by nothing else but to make it larger."""
    if found.kind is FileKind.FILE and found.format not in {"", "iso", _format_of(found.path)}:
        text = f"{found.path} is called a {_format_of(found.path)} disk, and its contents say {found.format}"
        draft.problem(name, text, "a guest may have written that; give the file the ending of its format if you know better")
    draft.put(("disks", index, "image"), found.path, name)
    draft.put(("disks", index, "in_place"), True, name)
    _device_options(draft, index, old=found.kind is FileKind.FILE)
    wanted = _size(draft, name, found.path.rpartition("/")[0] or "/")
    if wanted is not None and found.kind is FileKind.FILE and wanted > found.size:
        draft.files.append(DiskFile(path=found.path, size=wanted, format=found.format or _format_of(found.path)))
    elif wanted is not None and wanted < found.size:
        draft.note(name, f"{found.path} has {format_size(found.size)} and never shrinks", "set it to that, or leave it out")
    form = draft.text("DISK_FMT")
    if index == 0 and form is not None and found.format and form != found.format and found.kind is FileKind.FILE:
        draft.note("DISK_FMT", f"{found.path} stays {found.format}", f"convert it with: qd disk convert {found.path} NEW --format {form}")


def _format_of(path: str) -> str:
    return "qcow2" if path.lower().endswith(".qcow2") else "raw"


def _make(draft: Draft, index: int, number: int, size: int) -> None:
    """A folder that is mounted for a disk gets it: made where the old image would make it, and with its name."""
    form = draft.text("DISK_FMT") or "raw"
    suffix = "qcow2" if form == "qcow2" else "img"
    path = draft.found.real(f"/storage{number}/{draft.text('DISK_NAME') or 'data'}{number}.{suffix}")
    options = tuple((draft.text("DISK_FLAGS") or "").split(",")) if form == "qcow2" and draft.has("DISK_FLAGS") else ()
    draft.files.append(DiskFile(path=path, size=size, format=form, preallocate=draft.flag("ALLOCATE") is True, options=options))
    draft.put(("disks", index, "image"), path, f"DISK{number}_SIZE")
    draft.put(("disks", index, "in_place"), True, f"DISK{number}_SIZE")
    _device_options(draft, index, old=False)


def _new(draft: Draft, index: int) -> None:
    if draft.has("DISK_FMT"):
        draft.put(("disks", index, "format"), draft.value("DISK_FMT"), "DISK_FMT")
    if draft.flag("ALLOCATE"):
        draft.put(("disks", index, "preallocate"), True, "ALLOCATE")
    for word in (draft.text("DISK_FLAGS") or "").split(","):
        if word and draft.text("DISK_FMT") != "raw":
            draft.add(("disks", index, "format_options"), word, "DISK_FLAGS")
    _device_options(draft, index, old=False)


def _device_options(draft: Draft, index: int, *, old: bool) -> None:
    bus = draft.text("DISK_TYPE")
    if bus is not None:
        draft.put(("disks", index, "bus"), _BUSES.get(bus, bus), "DISK_TYPE")
    elif old:
        draft.default(("disks", index, "bus"), _OLD_BUS)
    if draft.has("DISK_ROTATION"):
        draft.put(("disks", index, "rotation"), draft.value("DISK_ROTATION"), "DISK_ROTATION")
    elif old and draft.look("disks", index, "bus") == _OLD_BUS:
        draft.default(("disks", index, "rotation"), _OLD_ROTATION)
    if draft.has("DISK_DISCARD"):
        draft.put(("disks", index, "discard"), draft.text("DISK_DISCARD") in {"unmap", "on", "y"}, "DISK_DISCARD")
    _cache(draft, index)


def _cache(draft: Draft, index: int) -> None:
    """Native requests need an uncached file; who asks for them alone gets one, as in the old image."""
    cache, aio = draft.text("DISK_CACHE"), draft.text("DISK_IO")
    if aio == "native" and cache is None:
        cache = "none"
    if aio == "native" and cache not in {"none", "directsync"}:
        if index == 0:
            draft.note("DISK_IO", f"'native' needs an uncached file, and DISK_CACHE is '{cache}'", "set DISK_CACHE=none")
        aio = "threads"
    if cache is not None:
        draft.put(("disks", index, "cache"), cache, "DISK_CACHE" if draft.has("DISK_CACHE") else "DISK_IO")
    if aio is not None:
        draft.put(("disks", index, "aio"), aio, "DISK_IO")


def _size(draft: Draft, name: str, folder: str) -> int | None:
    """Return the bytes that a variable asks for; None when it was not given."""
    value: Any = draft.value(name)
    if value is None or isinstance(value, int):
        return value
    room = draft.found.room(folder) or draft.found.room(storage(draft))
    if room is None:
        draft.problem(name, f"'{value}' needs to know how much is free, and nobody does", "write a size such as 20G")
        return None
    size = room // 2 if value == "half" else room - _SPARE
    return max(size >> 20, 100) << 20


def _discs(draft: Draft, source: Source) -> None:
    """Discs with further uses: to boot a rescue system, to carry drivers, or just to be read."""
    for name in _DISCS:
        file = next((item for folder in ("/", source.home) if (item := draft.found.at(f"{folder.rstrip('/')}/{name}")) is not None), None)
        if file is None or file.kind is not FileKind.FILE or not file.size:
            continue
        draft.add(("cdroms",), {"image": file.path}, "BOOT")
        if name == "start.iso":
            draft.put(("boot_first",), "cdrom", "BOOT")


def _shared(draft: Draft) -> None:
    path = draft.found.real("/shared")
    if _is_folder(draft, "/shared") and not any(share.get("tag", "shared") == "shared" for share in draft.data.get("shares", ())):
        draft.add(("shares",), {"path": path}, "/shared")


def _media(draft: Draft) -> None:
    kind = draft.text("MEDIA_TYPE")
    if kind is None or draft.data.get("boot") is None:
        return
    bus = _BUSES.get(kind, kind)
    if bus in _DISC_BUSES:
        draft.put(("boot_bus",), bus, "MEDIA_TYPE")
    elif bus is not None:
        draft.note("MEDIA_TYPE", f"'{kind}' holds no disc", "set it to sata, usb or scsi")
