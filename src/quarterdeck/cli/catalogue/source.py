"""The catalogue that a command works with: the user's, and what ``--catalogue`` lays over it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from quarterdeck.errors import UsageError
from quarterdeck.media.catalogue.catalogue import Catalogue, Layer, folder_layer, load_catalogue, text_layer


def open_catalogue(more: Sequence[str] | None) -> Catalogue:
    """Return the catalogue with the layers of ``--catalogue``, of which the last wins.

    Raises:
        UsageError: a layer is no folder and no URL, or cannot be used.
        MediaError: a URL cannot be had.
    """
    return load_catalogue(*(_layer(word) for word in more or ()))


def _layer(word: str) -> Layer:
    if word.startswith(("https://", "http://")):
        return asyncio.run(_fetch(word))
    folder = Path(word).expanduser()
    if folder.is_file():
        return text_layer(folder.read_bytes(), word)
    if not folder.is_dir():
        raise UsageError("no-catalogue", f"there is no folder {folder}", hint="name a folder of *.yaml files, or an https URL")
    return folder_layer(folder)


async def _fetch(url: str) -> Layer:
    from quarterdeck.media.fetch.http import Http

    async with Http() as http:
        return text_layer((await http.read(url)).body, url)
