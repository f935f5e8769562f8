"""What boots: what is mounted, a disk with data, or what ``BOOT`` names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

from quarterdeck.core.url import is_url
from quarterdeck.machine.environment.draft import Draft
from quarterdeck.machine.environment.found import FileKind, FoundFile

_HOOK = "/run/start.sh"
"""What the old image runs at start."""
DEFAULT_STORAGE = "/storage"
_DEFAULT = "alpine"
_MOUNTED = ("boot.img", "boot.raw", "boot.iso", "boot.qcow2", "custom.iso")
_PACKED = (".gz", ".gzip", ".xz", ".7z", ".zip", ".rar", ".lzma", ".bz", ".bz2")


@dataclass(frozen=True, kw_only=True)
class Source:
    """What boots, and from where.

    ``boot`` is the spec's; None: the first disk boots as it is. ``home`` is the folder whose disks and firmware state belong to it.
    ``disk`` is the first disk, used in place; None: it is new, or what ``boot`` names. ``sized`` says whether it then has a size of its own
    accord. ``beside`` is a second disk, of which ``beside_in_place`` says whether the guest writes to it itself.
    """

    name: str
    home: str
    boot: str | None = None
    disk: FoundFile | None = None
    sized: bool = True
    beside: FoundFile | None = None
    beside_in_place: bool = False


def boot(draft: Draft) -> Source:
    """Find what boots, and write it."""
    source = _source(draft)
    if draft.found.at(_HOOK) is not None:
        draft.note(_HOOK, "scripts are not run at start", "mount a spec at /machine.yaml for what variables do not say")
    name = draft.text("NAME") or draft.data.get("name") or slug(source.name)
    draft.put(("name",), name, "NAME")
    if source.boot is not None and not _is_from_spec(draft):
        draft.put(("boot",), source.boot, "BOOT")
        _fetch(draft, source.boot)
    return source


def slug(text: str) -> str:
    """Return ``text`` as the name of a machine."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:50].strip("-") or "machine"


def storage(draft: Draft) -> str:
    """Return the folder in which folders of the old image lie."""
    return (draft.text("STORAGE") or DEFAULT_STORAGE).rstrip("/") or "/"


def data_disk(draft: Draft, home: str) -> FoundFile | None:
    """Return the old image's first disk in ``home``, the one of the wanted format first."""
    name = draft.text("DISK_NAME") or "data"
    order = ("img", "qcow2") if draft.text("DISK_FMT") == "raw" else ("qcow2", "img")
    files = (draft.found.at(f"{home.rstrip('/')}/{name}.{suffix}") for suffix in order)
    return next((file for file in files if file is not None and file.kind is FileKind.FILE and file.size > 0), None)


def device(draft: Draft, number: int) -> FoundFile | None:
    """Return the block device that is disk ``number``: the one that was named, or one that was put where it is looked for."""
    name = "DEVICE" if number == 1 and draft.has("DEVICE") else f"DEVICE{number}"
    named = draft.text(name)
    if named is not None:
        file = draft.found.at(named)
        if file is None or file.kind is not FileKind.BLOCK:
            draft.problem(name, f"must be a block device in the container; it is '{named}'", f"add it: --device {named}")
            return None
        return file
    places = [f"/disk{number}", f"/dev/disk{number}"] if number > 1 else ["/disk", "/disk1", "/dev/disk1"]
    return next((file for path in places if (file := draft.found.at(path)) is not None and file.kind is FileKind.BLOCK), None)


def _is_from_spec(draft: Draft) -> bool:
    """Whether the user's own spec says what boots; a variable goes before it."""
    return not draft.has("BOOT") and (draft.said("boot") or draft.said("disks", 0, "image"))


def _source(draft: Draft) -> Source:
    home = storage(draft)
    if _is_from_spec(draft):
        boot = draft.data.get("boot")
        return Source(name=_folder(boot) if boot else "machine", home=home, boot=boot, sized=False, disk=None if boot else device(draft, 1))
    return _mounted(draft, home) or _with_data(draft, home) or _named(draft, home)


def _mounted(draft: Draft, home: str) -> Source | None:
    for name in _MOUNTED:
        for folder in ("/", home):
            file = next((item for item in draft.found.inside(folder) if item.name.lower() == name), None)
            if file is None:
                continue
            if file.kind is FileKind.FOLDER:
                if _with_data(draft, home) is None:
                    draft.problem("BOOT", f"{file.path} is a folder: the file that was to be mounted there does not exist on the host")
                continue
            if file.size:
                return _file(draft, file, folder, home)
    return None


def _file(draft: Draft, file: FoundFile, folder: str, home: str) -> Source:
    """What lies in the storage folder is the old image's own, and may hold a system by now; what is mounted elsewhere is only read."""
    if draft.has("BOOT") and folder in {"/", storage(draft)}:
        draft.note("BOOT", f"{file.path} is there and boots", "remove it to boot what BOOT names")
    name = "boot" if folder in {"/", storage(draft)} else folder.rpartition("/")[2]
    data = device(draft, 1) or data_disk(draft, home)
    if file.name.lower().endswith(".iso"):
        return Source(name=name, home=home, boot=file.path, disk=data)
    if folder != "/":
        return Source(name=name, home=home, disk=file, beside=data, beside_in_place=True)
    if data is not None and not data.blank:  # what was installed goes before what it was installed from
        return Source(name=name, home=home, disk=data, beside=file)
    return Source(name=name, home=home, boot=file.path, sized=False, beside=data, beside_in_place=True)


def _with_data(draft: Draft, home: str) -> Source | None:
    disk = device(draft, 1) or data_disk(draft, home)
    if disk is None or disk.blank:
        return None
    if draft.has("BOOT") and home == storage(draft) and not _says_none(draft):
        draft.note("BOOT", f"{disk.path} holds a system and boots", "move it elsewhere to boot what BOOT names")
    name = draft.text("DISK_NAME") or "data"
    return Source(name=name if home == storage(draft) else home.rpartition("/")[2], home=home, disk=disk)


def _says_none(draft: Draft) -> bool:
    return (draft.text("BOOT") or "").lower() == "none"


def _named(draft: Draft, home: str) -> Source:
    if _says_none(draft):
        return Source(name="machine", home=home, disk=device(draft, 1) or data_disk(draft, home))
    boot = draft.text("BOOT")
    if boot is None or "example.com/" in boot:
        draft.note("BOOT", f"it says nothing, so '{_DEFAULT}' boots", "set BOOT to a name, a URL or a path")
        boot = _DEFAULT
    word = boot if "." in boot or "/" in boot else boot.lower().replace(" ", "")
    folder = _folder(word)
    inner = f"{home.rstrip('/')}/{folder}"
    if draft.found.at(inner) is not None:
        found = _in_folder(draft, inner) or _with_data(draft, inner)
        if found is not None:
            return found
    path = draft.found.real(word) if word.startswith("/") else word
    return Source(name=folder, home=inner, boot=path, sized=not word.startswith("/"), disk=device(draft, 1))


def _in_folder(draft: Draft, inner: str) -> Source | None:
    for name in _MOUNTED:
        file = next((item for item in draft.found.inside(inner) if item.name.lower() == name and item.kind is FileKind.FILE), None)
        if file is not None and file.size:
            return _file(draft, file, inner, inner)
    return None


def _folder(boot: str) -> str:
    """Return what the old image calls the folder of ``boot``: the name, or the last part of a URL without its endings."""
    if "." not in boot and "/" not in boot:
        return boot.lower()
    base = unquote(re.split(r"[?#]", boot)[0] if is_url(boot) else boot).rstrip("/").rpartition("/")[2]
    base = re.sub(r"[^A-Za-z0-9._-]", "_", base)
    if base.lower().endswith(_PACKED):
        base = base.rpartition(".")[0]
    return (base.rpartition(".")[0] if "." in base else base) or "unknown"


def _fetch(draft: Draft, boot: str) -> None:
    if draft.has("CHECKSUM"):
        draft.put(("fetch", "checksum"), draft.value("CHECKSUM"), "CHECKSUM")
    if draft.has("UNVERIFIED"):
        draft.put(("fetch", "unverified"), draft.value("UNVERIFIED"), "UNVERIFIED")
    elif is_url(boot) and not draft.has("CHECKSUM") and not draft.said("fetch", "checksum"):
        draft.put(("fetch", "unverified"), True, "BOOT")
        draft.note("BOOT", "nothing proves that the image is what its publisher made", "set CHECKSUM=sha256:...")
