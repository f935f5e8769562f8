"""OVF packages (ova): which members are disks, and whether all are what the manifest says.

Source: DMTF DSP0243 2.1.1, chapters 5 (package, manifest) and 7.1 (references, disks).
"""

from __future__ import annotations

import hashlib
import re
from html import unescape
from urllib.parse import unquote

from quarterdeck.errors import MediaError
from quarterdeck.media.packing.contents import Piece
from quarterdeck.media.packing.failures import damaged, shown, unsupported
from quarterdeck.media.packing.ovf_manifest import ALGORITHMS, Manifest
from quarterdeck.media.packing.window import Reader, Window

_TEXT_MAX = 4 << 20
_FILE = re.compile(rb"<(?:\w+:)?File\b[^>]*>")
_DISK = re.compile(rb"<(?:\w+:)?Disk\b[^>]*>")
_ATTRIBUTE = re.compile(rb"(?:\w+:)?(\w+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_COMMENT = re.compile(rb"<!--.*?-->", re.DOTALL)
_ELSEWHERE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_ALL = ALGORITHMS
_EARLY = (".ovf", ".mf")
_DISKS = (".vmdk", ".vmdk.gz")
"""What disks in a package are called as a rule; an archive that begins with one may be a package as well."""


class HashingReader:
    """``reader``, while checksums of what passes are made."""

    def __init__(self, reader: Reader, algorithms: tuple[str, ...]) -> None:
        self._reader = reader
        self._hashes = {name: hashlib.new(name, usedforsecurity=False) for name in algorithms}

    def read(self, size: int) -> bytes:
        """Return up to ``size`` bytes."""
        data = self._reader.read(size)
        for made in self._hashes.values():
            made.update(data)
        return data

    def digests(self) -> dict[str, str]:
        """Return the checksums, keyed by algorithm."""
        return {name: made.hexdigest() for name, made in self._hashes.items()}


class Package:
    """What one archive tells of itself when it is an OVF package; ``archive`` is its name.

    ``self_checked`` says that the archive has checksums of its own, as all but tar do.
    """

    def __init__(self, archive: str, *, self_checked: bool = False) -> None:
        self._archive = archive
        self._self_checked = self_checked
        self._current = ""
        self._is_ovf = False
        self._disks: set[str] | None = None
        self._manifest = Manifest(archive)
        self._seen: dict[str, dict[str, str]] = {}

    def watch(self, name: str, reader: Reader, size: int | None) -> Reader:
        """Return the content of member ``name``, with checksums if the manifest may ask for them.

        The description comes first in a package, then the manifest, or that comes last; folders that were packed by hand are in any order.
        """
        first, self._current = not self._seen, name
        self._seen[name] = {}
        if known := self._manifest.algorithms(name):
            return HashingReader(reader, known)
        suspected = (first and size is not None and size <= _TEXT_MAX) or name.lower().endswith(_EARLY)
        if self._is_ovf or suspected or (not self._self_checked and name.lower().endswith(_DISKS)):
            return HashingReader(reader, _ALL)
        return reader

    def saw(self, content: object, window: Window) -> None:
        """Take what a member that is a description or manifest says; the member is not read by that.

        Raises:
            MediaError: its disks come in chunks or lie elsewhere.
        """
        name = self._current.lower()
        if content is Piece.OVF:
            self._is_ovf = True
            self._read_description(window.peek(_TEXT_MAX))
        elif name.endswith(".mf") and content in (Piece.MANIFEST, Piece.TEXT):
            self._manifest.read(window.peek(_TEXT_MAX), strict=True)
        elif content is Piece.MANIFEST and not name.endswith(".cert"):
            self._manifest.read(window.peek(_TEXT_MAX), strict=False)

    def done(self, name: str, reader: Reader) -> None:
        """Note the checksums of a member that was read to its end."""
        if isinstance(reader, HashingReader):
            self._seen[name] = reader.digests()

    def is_disk(self, name: str) -> bool:
        """Whether the member is a disk of the package; outside of packages everything may be."""
        return self._disks is None or name in self._disks

    def check(self) -> None:
        """Hold all members against the manifest.

        Raises:
            MediaError: one is missing or another one, or the manifest leaves a disk out or makes no sense.
        """
        if not self._is_ovf:
            return
        if self._manifest.problem is not None:
            raise self._manifest.problem
        if self._manifest.entries:
            self._check_members()

    def _check_members(self) -> None:
        listed = {self._member(name): digests for name, digests in self._manifest.entries.items()}
        for name, digests in listed.items():
            if name not in self._seen:
                raise damaged(self._archive, f"its manifest names '{shown(name)}', which is not there")
            self._compare(name, digests)
        for name in sorted((self._disks or set()) & self._seen.keys()):
            if name not in listed:
                raise damaged(self._archive, f"its manifest leaves out '{shown(name)}'")

    def _compare(self, name: str, wanted: dict[str, str]) -> None:
        found = self._seen[name]
        if not found and self._self_checked:
            return
        for algorithm, value in wanted.items():
            if algorithm not in found:
                raise damaged(self._archive, f"its member '{shown(name)}' cannot be checked, since it lies before what tells its checksum")
            if found[algorithm] != value:
                raise damaged(self._archive, f"its member '{shown(name)}' is not what the manifest says ({algorithm})")

    def _member(self, name: str) -> str:
        """The member that a name means which may be written as in a URL."""
        return next((form for form in _forms(name) if form in self._seen), name)

    def _read_description(self, text: bytes) -> None:
        text = _COMMENT.sub(b"", text)
        used = {_attributes(tag).get("fileRef") for tag in _DISK.findall(text)}
        files = [file for file in map(_attributes, _FILE.findall(text)) if "href" in file]
        disks = [file for file in files if file.get("id") in used]
        for file in disks:
            self._check_readable(file)
        self._disks = {form for file in disks for form in _forms(file["href"])} or None

    def _check_readable(self, file: dict[str, str]) -> None:
        href = file["href"]
        if "chunkSize" in file:
            raise MediaError(
                "archive-unsupported",
                f"{shown(self._archive)} cannot be read",
                reason="its disks are cut into chunks",
                hint=f"unpack it, put the chunks together ('cat {shown(href)}.0* > {shown(href)}'), and name that file",
            )
        if _ELSEWHERE.match(href):
            raise unsupported(self._archive, f"its disk '{shown(href)}' is not in it")


def _forms(href: str) -> tuple[str, ...]:
    """The names of members that a reference may mean: as it stands, which many programs write, and decoded, as it should be."""
    return tuple(dict.fromkeys(form.removeprefix("./") for form in (href, unquote(href))))


def _attributes(tag: bytes) -> dict[str, str]:
    return {name.decode(): unescape((double or single).decode("utf-8", "replace")) for name, double, single in _ATTRIBUTE.findall(tag)}
