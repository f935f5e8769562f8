"""What is to be downloaded, and what proves that it is the right thing."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Any

from quarterdeck.errors import UsageError

_HEX = re.compile(r"[0-9a-f]+")
_LENGTHS = {"sha256": 64, "sha512": 128, "sha1": 40, "md5": 32, "b2": 128}
"""Hexadecimal digits; ``b2`` is BLAKE2b with 512 bits, as b2sum(1) prints it."""
_WEAK = frozenset({"sha1", "md5"})
_FINGERPRINT = re.compile(r"[0-9A-F]{40}|[0-9A-F]{64}")
"""OpenPGP version 4 (RFC 4880, 12.2) and version 6 (RFC 9580, 5.5.4.3)."""


@dataclass(frozen=True)
class Checksum:
    """A checksum that a publisher names: ``sha256``, ``sha512``, ``sha1``, ``md5`` or ``b2``, and the value in lower-case hexadecimal.

    Raises:
        UsageError: no such algorithm, or no value of it.
    """

    algorithm: str
    value: str

    def __post_init__(self) -> None:
        if self.algorithm not in _LENGTHS:
            known = ", ".join(_LENGTHS)
            raise UsageError("invalid-checksum", f"'{self.algorithm}' is not a checksum that can be checked", hint=f"known are {known}")
        if len(self.value) != _LENGTHS[self.algorithm] or not _HEX.fullmatch(self.value):
            digits = _LENGTHS[self.algorithm]
            raise UsageError(
                "invalid-checksum", f"'{self.value}' is not a {self.algorithm} checksum", reason=f"it has {digits} digits 0-9a-f"
            )

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.value}"

    @property
    def weak(self) -> bool:
        """Whether it only guards against accidents: others can make a second file with the same value."""
        return self.algorithm in _WEAK

    @classmethod
    def parse(cls, text: str) -> Checksum:
        """Return the checksum written ``ALGORITHM:VALUE`` (or ``ALGORITHM=VALUE``), in any case.

        Raises:
            UsageError: it is not one.
        """
        algorithm, separator, value = text.strip().lower().replace("=", ":", 1).partition(":")
        if not separator:
            raise UsageError("invalid-checksum", f"'{text}' is not a checksum", hint="write sha256:VALUE")
        return cls(algorithm.replace("-", ""), value.strip())


def new_hash(algorithm: str) -> Any:
    """Return an empty hashlib object for the name of a checksum."""
    return hashlib.new("blake2b" if algorithm == "b2" else algorithm, usedforsecurity=False)


@dataclass(frozen=True)
class Detached:
    """A detached OpenPGP signature over the file itself.

    ``key`` is the full fingerprint of the primary key or of the signing subkey, in upper case; ``material`` the public key,
    binary or armored.
    """

    url: str
    key: str
    material: bytes = b""

    def __post_init__(self) -> None:
        if not _FINGERPRINT.fullmatch(self.key):
            hint = "write its 40 (or 64) digits 0-9A-F without spaces"
            raise UsageError("invalid-fingerprint", f"'{self.key}' is not the full fingerprint of a key", hint=hint)


@dataclass(frozen=True)
class Wanted:
    """One file to download.

    ``urls`` are places that hold the same file, tried in this order; ``size`` is in bytes, None when nobody said.
    ``origin`` is one line for people about where the checksum or the key comes from.
    """

    urls: tuple[str, ...]
    size: int | None = None
    checksum: Checksum | None = None
    signature: Detached | None = None
    origin: str = ""

    def __post_init__(self) -> None:
        if not self.urls:
            raise UsageError("no-url", "there is no URL to download from")

    @property
    def verifiable(self) -> bool:
        """Whether something proves that the file is the right one."""
        return self.checksum is not None or self.signature is not None
