"""The catalogue that somebody works with: the user's, and over it further folders and URLs, of which the last wins."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from quarterdeck.core.url import is_url, local_path
from quarterdeck.errors import UsageError
from quarterdeck.media.catalogue.catalogue import Catalogue, Layer, folder_layer, load_catalogue, text_layer
from quarterdeck.media.fetch.http import Http


async def open_catalogue(more: Sequence[str]) -> Catalogue:
    """Return the catalogue with ``more``: folders of ``*.yaml`` files, single files, or https URLs of one file.

    Raises:
        UsageError: one is no folder, file or URL, or cannot be used.
        MediaError: a URL cannot be had.
    """
    return load_catalogue(*[await _layer(word) for word in more])


async def _layer(word: str) -> Layer:
    if is_url(word):
        async with Http() as http:
            return text_layer((await http.read(word)).body, word)
    return await asyncio.to_thread(_local_layer, word)


def _local_layer(word: str) -> Layer:
    path = Path(local_path(word)).expanduser()
    if path.is_dir():
        return folder_layer(path)
    try:
        return text_layer(path.read_bytes(), word)
    except OSError as error:
        reason = error.strerror or ""
        raise UsageError(
            "no-catalogue", f"{path} cannot be read", reason=reason, hint="name a folder of *.yaml files, or an https URL"
        ) from None
