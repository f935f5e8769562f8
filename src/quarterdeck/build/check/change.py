"""What one member of a layer changes in the tree of an image, as a small value that can be kept."""

from __future__ import annotations

import posixpath
from enum import StrEnum
from typing import NamedTuple

from quarterdeck.binfmt.elf import BadElf, read_header
from quarterdeck.build.check.tree import ElfFile, Tree
from quarterdeck.build.oci.tar import Kind, Member

_ELF = b"\x7fELF"
_WHITEOUT = ".wh."
_OPAQUE = ".wh..wh..opq"
_AUFS = ".wh..wh."


class What(StrEnum):
    """The kind of a change; one letter, since layers have many."""

    FOLDER = "d"
    PROGRAM = "p"
    """A file that begins as ELF files do."""
    HARD_LINK = "h"
    SYMLINK = "l"
    OTHER = "o"
    """What the tree does not keep: it takes the place of what was there."""
    WHITEOUT = "w"
    EMPTIED = "e"
    """Of a folder, all that lower layers put there is gone."""
    ESCAPE = "x"
    """A name that leads out of the image, and changes nothing."""


class Change(NamedTuple):
    """One change; ``more`` is the target of a link, or the beginning of a program as hexadecimal digits."""

    what: What
    path: str
    more: str = ""


def change_of(member: Member) -> Change | None:
    """Return what a member of a layer changes, None for marks that mean nothing."""
    path = _path(member.name)
    if path is None:
        return Change(What.ESCAPE, member.name[:300])
    folder, name = posixpath.split(path)
    if name.startswith(_WHITEOUT):
        return _white_out(folder, name)
    match member.kind:
        case Kind.FOLDER:
            return Change(What.FOLDER, path)
        case Kind.FILE if member.head.startswith(_ELF):
            return Change(What.PROGRAM, path, member.head.hex())
        case Kind.HARD_LINK:
            target = _path(member.target)
            if target is None:
                return Change(What.ESCAPE, f"{member.name} -> {member.target}"[:300])
            return Change(What.HARD_LINK, path, target)
        case Kind.SYMLINK:
            return Change(What.SYMLINK, path, member.target)
        case _:
            return Change(What.OTHER, path)


def apply_change(tree: Tree, change: Change, *, number: int) -> None:
    """Make a change of layer ``number``, counted from 0.

    Raises:
        BadImageError: the tree gets too large, or a path in it is hostile.
    """
    what, path, more = change
    match what:
        case What.FOLDER:
            tree.folder(path)
        case What.PROGRAM:
            tree.put(path, _elf(bytes.fromhex(more), number))
        case What.HARD_LINK if (found := tree.get(more)) is not None:
            tree.put(path, ElfFile(found.header, number))
        case What.SYMLINK:
            tree.link(path, more, layer=number)
        case What.HARD_LINK | What.OTHER:
            tree.remove(path)
        case What.WHITEOUT | What.EMPTIED:
            tree.white_out(path, layer=number, only_inside=what is What.EMPTIED)


def _white_out(folder: str, name: str) -> Change | None:
    if name == _OPAQUE:
        return Change(What.EMPTIED, folder)
    victim = name.removeprefix(_WHITEOUT)
    if name.startswith(_AUFS) or victim in ("", ".", ".."):  # other marks of aufs mean nothing here
        return None
    return Change(What.WHITEOUT, posixpath.join(folder, victim))


def _elf(head: bytes, number: int) -> ElfFile:
    try:
        return ElfFile(read_header(head), number)
    except BadElf as error:
        return ElfFile(error.reason, number)


def _path(name: str) -> str | None:
    """Return a member's path from the image's root, None when it leads out."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    return None if ".." in parts else "/".join(parts)
