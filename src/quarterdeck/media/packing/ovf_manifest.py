"""Manifests of OVF packages: lines ``ALGORITHM(NAME)= VALUE``. Source: DMTF DSP0243 2.1.1, chapter 5.1."""

from __future__ import annotations

import re

from quarterdeck.errors import MediaError
from quarterdeck.media.packing.failures import damaged, shown, unsupported

_LINE = re.compile(r"\s*([A-Za-z0-9_-]+)\s?\((.+)\)\s*=\s*([0-9a-fA-F]+)\s*")
_DIGITS = {"sha1": 40, "sha256": 64, "sha384": 96, "sha512": 128}
ALGORITHMS = tuple(_DIGITS)


class Manifest:
    """What the manifests of ``archive`` say: ``entries`` maps names, as they stand there, to checksums by algorithm.

    ``problem`` is what is wrong with them; it matters only when the archive turns out to be a package.
    """

    def __init__(self, archive: str) -> None:
        self._archive = archive
        self.entries: dict[str, dict[str, str]] = {}
        self.problem: MediaError | None = None

    def read(self, text: bytes, *, strict: bool) -> None:
        """Take the lines of a manifest; those that are none are a problem if it is ``strict``, else skipped."""
        for line in text.decode("utf-8-sig", "replace").splitlines():
            if not line.strip():
                continue
            found = _LINE.fullmatch(line)
            if found is not None:
                self._add(found[1].lower(), found[2].strip().removeprefix("./"), value=found[3].lower())
            elif strict:
                self._refuse(damaged(self._archive, f"its manifest has a line that makes no sense: '{shown(line.strip())}'"))

    def algorithms(self, name: str) -> tuple[str, ...]:
        """Return the algorithms whose checksums of ``name`` are known."""
        return tuple(self.entries.get(name, ()))

    def _add(self, algorithm: str, name: str, *, value: str) -> None:
        known = self.entries.get(name, {}).get(algorithm, value)
        if algorithm not in _DIGITS:
            reason = f"its manifest has {shown(algorithm.upper())} checksums, known are SHA1, SHA256, SHA384, SHA512"
            self._refuse(unsupported(self._archive, reason))
        elif len(value) != _DIGITS[algorithm]:
            reason = f"its manifest has no {algorithm.upper()} checksum of '{shown(name)}', but {len(value)} digits"
            self._refuse(damaged(self._archive, reason))
        elif known != value:
            self._refuse(damaged(self._archive, f"its manifest has two checksums of '{shown(name)}'"))
        else:
            self.entries.setdefault(name, {})[algorithm] = value

    def _refuse(self, problem: MediaError) -> None:
        self.problem = self.problem or problem
