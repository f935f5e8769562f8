"""OVF packages (ova): which members are disks, and whether all are what the manifest says.

Source: DMTF DSP0243 2.1.1, chapters 5 (package, manifest) and 7.1 (references, disks).
"""

from __future__ import annotations

import hashlib
import re
from html import unescape

from quarterdeck.media.packing.contents import Piece
from quarterdeck.media.packing.failures import damaged, shown, unsupported
from quarterdeck.media.packing.window import Reader, Window

_TEXT_MAX = 4 << 20
_LINE = re.compile(rb"^\s*(SHA1|SHA256|SHA384|SHA512)\s?\(([^)\n]+)\)\s*=\s*([0-9a-fA-F]+)\s*$", re.MULTILINE)
_FILE = re.compile(rb"<(?:\w+:)?File\b[^>]*>")
_DISK = re.compile(rb"<(?:\w+:)?Disk\b[^>]*>")
_ATTRIBUTE = re.compile(rb"(?:\w+:)?(\w+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_ALL = ("sha1", "sha256", "sha384", "sha512")


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
    """What one archive tells of itself when it is an OVF package; ``archive`` is its name."""

    def __init__(self, archive: str) -> None:
        self._archive = archive
        self._first = True
        self._is_ovf = False
        self._disks: set[str] | None = None
        self._manifest: dict[str, tuple[str, str]] = {}
        self._seen: set[str] = set()
        self._digests: dict[str, dict[str, str]] = {}

    def watch(self, name: str, reader: Reader, size: int | None) -> Reader:
        """Return the content of member ``name``, with checksums if the manifest may ask for them.

        The description comes first in a package, and that decides; a small first member may be it.
        """
        self._seen.add(name)
        first, self._first = self._first, False
        if not self._is_ovf and not (first and size is not None and size <= _TEXT_MAX):
            return reader
        known = self._manifest.get(name)
        return HashingReader(reader, _ALL if known is None else (known[0],))

    def saw(self, content: object, window: Window) -> None:
        """Take what a member that is a description or manifest says; the member is not read by that.

        Raises:
            MediaError: its disks come in chunks.
        """
        if content is Piece.OVF:
            self._is_ovf = True
            self._read_description(window.peek(_TEXT_MAX))
        elif content is Piece.MANIFEST:
            for algorithm, name, value in _LINE.findall(window.peek(_TEXT_MAX)):
                self._manifest[name.decode("utf-8", "replace").strip()] = (algorithm.decode().lower(), value.decode().lower())

    def done(self, name: str, reader: Reader) -> None:
        """Note the checksums of a member that was read to its end."""
        if isinstance(reader, HashingReader):
            self._digests[name] = reader.digests()

    def is_disk(self, name: str) -> bool:
        """Whether the member is a disk of the package; outside of packages everything may be."""
        return self._disks is None or name in self._disks

    def check(self) -> None:
        """Hold all members against the manifest.

        Raises:
            MediaError: one is missing or another one.
        """
        if not self._is_ovf:
            return
        for name, (algorithm, wanted) in self._manifest.items():
            digests = self._digests.get(name, {})
            if name not in self._seen:
                raise damaged(self._archive, f"its manifest names '{shown(name)}', which is not there")
            if digests.get(algorithm, wanted) != wanted:
                raise damaged(self._archive, f"its member '{shown(name)}' is not what the manifest says ({algorithm})")

    def _read_description(self, text: bytes) -> None:
        files = [_attributes(tag) for tag in _FILE.findall(text)]
        if any("chunkSize" in file for file in files):
            raise unsupported(self._archive, "its disks are cut into chunks")
        used = {_attributes(tag).get("fileRef") for tag in _DISK.findall(text)}
        disks = {file["href"] for file in files if "href" in file and file.get("id") in used}
        self._disks = disks or None


def _attributes(tag: bytes) -> dict[str, str]:
    return {name.decode(): unescape((double or single).decode("utf-8", "replace")) for name, double, single in _ATTRIBUTE.findall(tag)}
