"""The catalogue that a command works with."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from quarterdeck.media.catalogue import source
from quarterdeck.media.catalogue.catalogue import Catalogue


def open_catalogue(more: Sequence[str] | None) -> Catalogue:
    """Return the user's catalogue with the layers of ``--catalogue``, of which the last wins.

    Raises:
        UsageError: a layer is no folder, file or URL, or cannot be used.
        MediaError: a URL cannot be had.
    """
    return asyncio.run(source.open_catalogue(more or ()))
