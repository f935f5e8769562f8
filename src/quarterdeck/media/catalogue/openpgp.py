"""OpenPGP: which keys are in a keyring, and whether a document is signed by one of a publisher's keys.

The keys' fingerprints stand in the catalogue. Key material may therefore come from anywhere: only a key with one of these
fingerprints counts (packets and fingerprints: RFC 4880, 4.2 and 12.2; RFC 9580, 5.5.4).
"""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from quarterdeck.core.process import find, run_async
from quarterdeck.errors import HostError, MediaError
from quarterdeck.media.fetch.signature import dearmor

_SECONDS = 60.0
_PUBLIC_KEY = 6
_LARGEST_PACKET = 1 << 22
_BAD = {
    "BADSIG": "the text was changed after it was signed",
    "EXPSIG": "the signature has expired",
    "EXPKEYSIG": "the key that we have has expired",
    "REVKEYSIG": "the key was revoked",
}


class NotSignedError(MediaError):
    """A document is not signed by any of the keys; ``changed`` when one of them signed another text."""

    def __init__(self, reason: str, *, changed: bool = False) -> None:
        super().__init__("signature-wrong", "the signature is not good", reason=reason)
        self.changed = changed


def keyring(material: bytes, fingerprint: str) -> bytes | None:
    """Return ``material`` (armored or not) in binary form when it holds the key ``fingerprint``, else None."""
    try:
        binary = dearmor(material)
    except MediaError:
        return None
    return binary if fingerprint in primary_keys(binary) else None


def primary_keys(binary: bytes) -> set[str]:
    """Return the fingerprints of the primary keys in a binary keyring; what follows something that is no packet is not looked at."""
    return {_fingerprint(body) for tag, body in _packets(binary) if tag == _PUBLIC_KEY and len(body) > 6}


async def signed_text(document: bytes, signature: bytes | None, *, ring: bytes, fingerprint: str) -> bytes:
    """Return the text that the key ``fingerprint`` signed: ``document``, or without ``signature`` what is inside it (cleartext signature).

    Raises:
        NotSignedError: it did not.
        HostError: gpgv is not installed.
    """
    if find("gpgv") is None:
        raise HostError("gpgv-missing", "gpgv is not installed", reason="signatures are checked with it", hint="apt install gpgv")
    with tempfile.TemporaryDirectory(prefix="quarterdeck-") as folder:
        home = Path(folder)
        files = {"ring": ring, "document": document, **({} if signature is None else {"signature": signature})}
        for name, content in files.items():
            await asyncio.to_thread((home / name).write_bytes, content)
        what = ["--output", home / "text", home / "document"] if signature is None else [home / "signature", home / "document"]
        done = await run_async(
            ["gpgv", "--homedir", folder, "--keyring", home / "ring", "--status-fd", "1", *what], timeout=_SECONDS, check=False
        )
        _judge(done.text, fingerprint)
        return document if signature is not None else await asyncio.to_thread((home / "text").read_bytes)


def _judge(status: str, fingerprint: str) -> None:
    """Publishers sign with an old and a new key at a time: one signature by ours is enough, unless it is of another text."""
    lines = [line.split()[1:] for line in status.splitlines() if line.startswith("[GNUPG:] ")]
    words = [fields[0] for fields in lines if fields]
    if "BADSIG" in words:
        raise NotSignedError(_BAD["BADSIG"], changed=True)
    signers = [fields for fields in lines if fields[:1] == ["VALIDSIG"] and fingerprint in (fields[1], fields[-1])]
    if not signers:
        reason = next((meaning for word, meaning in _BAD.items() if word in words), "it was made with another key, or there is none")
        raise NotSignedError(reason)
    if "GOODSIG" not in words:
        raise NotSignedError(next((meaning for word, meaning in _BAD.items() if word in words), "gpgv does not call it good"))


def _fingerprint(body: bytes) -> str:
    if body[0] == 6:
        return hashlib.sha256(b"\x9b" + len(body).to_bytes(4) + body).hexdigest().upper()
    return hashlib.sha1(b"\x99" + len(body).to_bytes(2) + body, usedforsecurity=False).hexdigest().upper() if len(body) < 1 << 16 else ""


def _packets(binary: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(binary) and binary[at] & 0x80:
        new = bool(binary[at] & 0x40)
        tag = binary[at] & 0x3F if new else (binary[at] >> 2) & 0x0F
        size, start = _new_length(binary, at + 1) if new else _old_length(binary, at + 1, binary[at] & 3)
        if size is None or size > _LARGEST_PACKET or start + size > len(binary):
            return
        yield tag, binary[start : start + size]
        at = start + size


def _old_length(binary: bytes, at: int, kind: int) -> tuple[int | None, int]:
    """Length and begin of the body; kind 3 (until the end of the file) is not used in keyrings."""
    width = 1 << kind
    return (None, at) if kind == 3 else (int.from_bytes(binary[at : at + width]), at + width)


def _new_length(binary: bytes, at: int) -> tuple[int | None, int]:
    """Length and begin of the body; partial lengths are for data only."""
    first = binary[at] if at < len(binary) else 255
    if first < 192:
        return first, at + 1
    if first < 224:
        return ((first - 192) << 8) + int.from_bytes(binary[at + 1 : at + 2]) + 192, at + 2
    return (int.from_bytes(binary[at + 1 : at + 5]), at + 5) if first == 255 else (None, at)
