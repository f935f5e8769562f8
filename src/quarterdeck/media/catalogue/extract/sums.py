"""Checksum listings: lines of sha256sum(1), of BSD's sha256(1), Gentoo's and Flatcar's DIGESTS, and files of one checksum."""

from __future__ import annotations

import re
from dataclasses import dataclass

from quarterdeck.media.fetch.model import Checksum

_LONGEST_LINE = 1024
_BY_LENGTH = {32: "md5", 40: "sha1", 64: "sha256", 128: "sha512"}
_BY_NAME = {"MD5": "md5", "SHA1": "sha1", "SHA256": "sha256", "SHA512": "sha512", "BLAKE2B": "b2"}
STRENGTH = ("md5", "sha1", "sha256", "b2", "sha512")
_GNU = re.compile(r"\\?([0-9A-Fa-f]{32,128})(?:[ \t]{1,8}\*?([^ \t*].{0,512}))?")
_BSD = re.compile(r"([A-Z0-9-]{2,12}) ?\(([^)]{1,512})\) ?= ?([0-9A-Fa-f]{32,128})")
_HEADING = re.compile(r"# ([A-Z0-9]{2,12}) HASH")


@dataclass(frozen=True)
class Sum:
    """One line: the file's name without folders, empty where the listing names none, and its checksum."""

    file: str
    checksum: Checksum


def parse(text: str) -> list[Sum]:
    """Return all checksums in ``text``; lines of other kinds are passed over."""
    found: list[Sum] = []
    heading = ""
    for line in text.splitlines():
        line = line.strip()
        if len(line) > _LONGEST_LINE:
            continue
        if (title := _HEADING.fullmatch(line)) is not None:
            heading = title[1]
        elif (entry := _read(line, heading)) is not None:
            found.append(entry)
    return found


def choose(sums: list[Sum], file: str) -> Checksum | None:
    """Return the strongest checksum of ``file``; the only one of a listing of one file is its, whatever that calls it."""
    named = [entry.checksum for entry in sums if entry.file == file]
    if not named and len({entry.file for entry in sums}) == 1:
        named = [entry.checksum for entry in sums]
    return max(named, key=lambda checksum: STRENGTH.index(checksum.algorithm), default=None)


def _read(line: str, heading: str) -> Sum | None:
    if (bsd := _BSD.fullmatch(line)) is not None:
        return _sum(bsd[2], _BY_NAME.get(bsd[1].replace("-", ""), ""), bsd[3])
    gnu = _GNU.fullmatch(line)
    if gnu is None:
        return None
    algorithm = _BY_NAME.get(heading, "") if heading else _BY_LENGTH.get(len(gnu[1]), "")
    return _sum(gnu[2] or "", algorithm, gnu[1])


def _sum(file: str, algorithm: str, value: str) -> Sum | None:
    length = 128 if algorithm == "b2" else next((digits for digits, name in _BY_LENGTH.items() if name == algorithm), 0)
    if len(value) != length:
        return None
    return Sum(file.strip().rpartition("/")[2], Checksum(algorithm, value.lower()))
