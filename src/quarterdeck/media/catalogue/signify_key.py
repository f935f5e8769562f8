"""Public keys of signify: the line below the comment of a ``.pub`` file.

Source: ``struct pubkey`` in usr.bin/signify/signify.c of OpenBSD.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

ALGORITHM = b"Ed"
KEY_NUMBER = 8
"""Bytes of the random number that signatures name their key by."""
_KEY_SIZE = len(ALGORITHM) + KEY_NUMBER + 32


@dataclass(frozen=True)
class SignifyPublicKey:
    """The number of a key and its Ed25519 public key, 32 bytes."""

    number: bytes
    value: bytes


def decode_key(text: str) -> SignifyPublicKey:
    """Return the key that the base64 ``text`` is.

    Raises:
        ValueError: it is none.
    """
    try:
        packed = base64.b64decode(text, validate=True)
    except binascii.Error:
        packed = b""
    if len(packed) != _KEY_SIZE or not packed.startswith(ALGORITHM):
        raise ValueError("must be the second line of a signify public key, 56 letters that begin with RW")
    return SignifyPublicKey(packed[len(ALGORITHM) : len(ALGORITHM) + KEY_NUMBER], packed[len(ALGORITHM) + KEY_NUMBER :])
