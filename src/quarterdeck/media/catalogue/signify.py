"""signify: Ed25519 signatures, as OpenBSD signs its lists of checksums.

Source: signify(1) and usr.bin/signify/signify.c of OpenBSD (``struct pubkey`` and ``struct sig``; both in base64 below a comment line).
The public key itself stands in the catalogue, so that nothing has to be fetched to check a signature.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass

from quarterdeck.errors import MediaError
from quarterdeck.media.catalogue.model import SignifyKey
from quarterdeck.media.catalogue.openpgp import NotSignedError
from quarterdeck.media.catalogue.signify_key import ALGORITHM, KEY_NUMBER, decode_key

_COMMENT = b"untrusted comment: "
_LONGEST_COMMENT = 1024
_SIGNATURE_SIZE = len(ALGORITHM) + KEY_NUMBER + 64


@dataclass(frozen=True)
class _Signature:
    comment: str
    key_number: bytes
    value: bytes
    rest: bytes


def is_signature(content: bytes) -> bool:
    """Whether ``content`` begins as signatures of signify do; those with the text in them (``signify -S -e``) too."""
    return content.startswith(_COMMENT)


def inside(content: bytes) -> bytes:
    """Return the text behind the signature, not verified.

    Raises:
        NotSignedError: it is no signature.
    """
    return _parse(content).rest


def signed_text(document: bytes, signature: bytes | None, *, keys: Sequence[SignifyKey]) -> tuple[bytes, SignifyKey]:
    """Return the text that is signed, and the key that signed it; without ``signature`` the text follows its own signature.

    Raises:
        NotSignedError: it is no signature, or of another text.
        MediaError: it was made with none of ``keys``.
    """
    parsed = _parse(document if signature is None else signature)
    text = parsed.rest if signature is None else document
    key = next((key for key in keys if decode_key(key.signify).number == parsed.key_number), None)
    if key is None:
        known = ", ".join(key.owner for key in keys) or "none"
        raise MediaError(
            "key-missing",
            f"the signature says '{parsed.comment}', which is none of the keys that the entry has",
            reason=f"known are {known}; an entry of your own can have further ones",
        )
    if not _is_good(key, parsed.value, text):
        raise NotSignedError("the text was changed after it was signed", changed=True)
    return text, key


def _parse(content: bytes) -> _Signature:
    comment, _, after = content.partition(b"\n")
    line, _, rest = after.partition(b"\n")
    try:
        packed = base64.b64decode(line, validate=True)
    except binascii.Error:
        packed = b""
    if not is_signature(content) or len(comment) > _LONGEST_COMMENT or len(packed) != _SIGNATURE_SIZE or not packed.startswith(ALGORITHM):
        raise NotSignedError("it is no signature of signify")
    words = comment.removeprefix(_COMMENT).decode(errors="replace")
    shown = "".join(letter if letter.isprintable() else "?" for letter in words)
    start = len(ALGORITHM) + KEY_NUMBER
    return _Signature(shown, packed[len(ALGORITHM) : start], packed[start:], rest)


def _is_good(key: SignifyKey, signature: bytes, text: bytes) -> bool:
    # Here, since most of what is done with the catalogue checks no such signature.
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(decode_key(key.signify).value).verify(signature, text)
    except (InvalidSignature, ValueError):
        return False
    return True
