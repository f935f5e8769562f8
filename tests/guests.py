"""Debian guests for tests: made once from the Debian mirror and kept outside the checkout.

The folder is ``$QUARTERDECK_TEST_CACHE``, else ``~/.cache/quarterdeck-tests``; it has the layout of ``QUARTERDECK_HOME``, so
a test that sets that variable to it finds the image as if ``qd`` had made it before.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from quarterdeck.core.arch import find_arch
from quarterdeck.core.report import Event, Step
from quarterdeck.media.debian.bootstrap import debian_image as make_image
from quarterdeck.media.store import ImageStore, StoredImage


def shared_home() -> Path:
    """Return the folder of what tests share, made if needed."""
    home = Path(os.environ.get("QUARTERDECK_TEST_CACHE") or Path.home() / ".cache/quarterdeck-tests")
    home.mkdir(parents=True, exist_ok=True)
    return home


def stored_debian(arch: str = "x86_64", suite: str | None = None) -> StoredImage:
    """Return the image of Debian for ``arch``; the first call takes about a minute, for a foreign architecture some minutes."""
    store = ImageStore(shared_home() / "images")
    return asyncio.run(make_image(suite, find_arch(arch), report=_show, store=store))


def debian_image(arch: str = "x86_64") -> Path:
    """Return the folder of images (``images`` of a ``QUARTERDECK_HOME``) that holds Debian stable for ``arch``."""
    return stored_debian(arch).folder.parent


def _show(event: Event) -> None:
    if isinstance(event, Step) and event.done is None:
        print(event.detail, flush=True)
