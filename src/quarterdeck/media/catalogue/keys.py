"""Where a publisher's keys are found: keyrings of packages on this host, the publisher's own page, a key server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from quarterdeck.errors import MediaError
from quarterdeck.media.catalogue import openpgp, signify
from quarterdeck.media.catalogue.model import Key, SignifyKey
from quarterdeck.media.catalogue.openpgp import NotSignedError
from quarterdeck.media.catalogue.pages import Pages

_KEY_SERVER = "https://keyserver.ubuntu.com/pks/lookup?op=get&options=mr&search=0x{fingerprint}"
"""Protocol: draft-gallagher-openpgp-hkp, 3.1.1. The pinned fingerprint is what makes it safe to ask."""
_LARGEST_FILE = 16 << 20


async def find_key(key: Key, pages: Pages) -> bytes:
    """Return a binary keyring that holds ``key``.

    Raises:
        MediaError: it is nowhere to be had.
    """
    async for ring in _rings(key, pages):
        return ring
    raise missing([key])


async def check_signed(
    document: bytes, signature: bytes | None, *, keys: Sequence[Key | SignifyKey], pages: Pages
) -> tuple[bytes, Key | SignifyKey]:
    """Return the text that is signed, and the key that signed it; without ``signature`` the document holds its own.

    Raises:
        MediaError: none of ``keys`` signed it, or none can be had.
        HostError: gpgv is not installed.
    """
    if signify.is_signature(document if signature is None else signature):
        return signify.signed_text(document, signature, keys=[key for key in keys if isinstance(key, SignifyKey)])
    return await _openpgp(document, signature, keys=[key for key in keys if isinstance(key, Key)], pages=pages)


async def _openpgp(document: bytes, signature: bytes | None, *, keys: Sequence[Key], pages: Pages) -> tuple[bytes, Key]:
    if not keys:
        raise NotSignedError("it is no signature of signify")
    refused: NotSignedError | None = None
    for key in keys:
        async for ring in _rings(key, pages):
            try:
                return await openpgp.signed_text(document, signature, ring=ring, fingerprint=key.fingerprint), key
            except NotSignedError as error:
                refused = error
                if error.changed:
                    raise
    raise refused if refused is not None else missing(keys)


def missing(keys: Sequence[Key]) -> MediaError:
    """Return the error of a publisher whose keys cannot be had."""
    tried = [place for key in keys for place in (*key.files, *key.urls)]
    return MediaError(
        "key-missing",
        f"the key of {keys[0].owner} cannot be had",
        reason=f"none of {', '.join([*tried, 'the key server'])} gives the key {' or '.join(key.fingerprint for key in keys)}",
        hint="install the package that has the keyring, or write the key's place into an entry of your own",
    )


async def _rings(key: Key, pages: Pages) -> AsyncIterator[bytes]:
    for file in key.files:
        material = await asyncio.to_thread(_read, Path(file))
        if (ring := openpgp.keyring(material, key.fingerprint)) is not None:
            yield ring
    for url in (*key.urls, _KEY_SERVER.format(fingerprint=key.fingerprint)):
        try:
            material = (await pages.read(url)).body
        except MediaError:
            continue
        if (ring := openpgp.keyring(material, key.fingerprint)) is not None:
            yield ring


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            return stream.read(_LARGEST_FILE)
    except OSError:
        return b""
