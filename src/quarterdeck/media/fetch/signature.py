"""Detached OpenPGP signatures, judged by gpgv with one key and nothing else of this host.

Status lines: doc/DETAILS of GnuPG.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import re
import tempfile
from pathlib import Path

from quarterdeck.core.process import run_async
from quarterdeck.errors import MediaError

_SECONDS = 1800.0
_ARMOR = re.compile(
    rb"-----BEGIN PGP PUBLIC KEY BLOCK-----\r?\n(?:[^\r\n]+\r?\n)*\r?\n(.*?)\r?\n-----END PGP PUBLIC KEY BLOCK-----", re.DOTALL
)
_CHECKSUM_LINE = re.compile(rb"^=[A-Za-z0-9+/]{4}\s*$", re.MULTILINE)
_BAD = {
    "BADSIG": "the file was changed, or is another one",
    "EXPSIG": "the signature has expired",
    "EXPKEYSIG": "the key has expired",
    "REVKEYSIG": "the key was revoked",
    "ERRSIG": "it was made with another key, or in a way that gpgv does not know",
}


async def check_signature(file: Path, signature: bytes, *, key: str, material: bytes) -> None:
    """Make sure that ``signature`` over ``file`` was made with the key of fingerprint ``key``.

    ``material`` is that public key, binary or armored; ``signature`` likewise.

    Raises:
        MediaError: it was not.
        HostError: gpgv is not installed.
    """
    with tempfile.TemporaryDirectory(prefix="quarterdeck-") as home:
        ring, detached = Path(home, "key.gpg"), Path(home, "signature")
        await asyncio.to_thread(ring.write_bytes, dearmor(material))
        await asyncio.to_thread(detached.write_bytes, signature)
        argv: list[str | Path] = ["gpgv", "--homedir", home, "--keyring", ring, "--status-fd", "1", detached, file]
        done = await run_async(argv, timeout=_SECONDS, check=False)
    problem = judge(done.text, key)
    if problem:
        raise MediaError("signature-wrong", f"the signature of {file.name} is not good", reason=problem, hint=f"the key should be {key}")


def judge(status: str, key: str) -> str:
    """Return why gpgv's status lines do not prove a signature by ``key``; empty when they do."""
    lines = [line.split()[1:] for line in status.splitlines() if line.startswith("[GNUPG:] ") and len(line.split()) > 1]
    for word, meaning in _BAD.items():
        if any(fields[0] == word for fields in lines):
            return meaning
    signers = [{fields[1], fields[-1]} for fields in lines if fields[0] == "VALIDSIG" and len(fields) > 1]
    if not signers:
        return "it is no signature"
    return "" if any(key in names for names in signers) else f"it was made with the key {min(signers[0])}"


def dearmor(material: bytes) -> bytes:
    """Return keys in binary form, as gpgv wants them; RFC 9580, 6.

    Raises:
        MediaError: there is no key in it.
    """
    if b"-----BEGIN PGP" not in material:
        if not material or not material[0] & 0x80:
            raise MediaError("key-unusable", "the publisher's key cannot be used", reason="it is no OpenPGP key")
        return material
    try:
        blocks = [base64.b64decode(_CHECKSUM_LINE.sub(b"", block)) for block in _ARMOR.findall(material)]
    except binascii.Error as error:
        raise MediaError("key-unusable", "the publisher's key cannot be used", reason=str(error)) from error
    if not blocks:
        raise MediaError("key-unusable", "the publisher's key cannot be used", reason="it holds no public key")
    return b"".join(blocks)
