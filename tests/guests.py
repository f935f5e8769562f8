"""Debian guests for tests: made once from the Debian mirror and kept outside the checkout.

The folder is ``$QUARTERDECK_TEST_CACHE``, else ``~/.cache/quarterdeck-tests``; it has the layout of ``QUARTERDECK_HOME``, so
a test that sets that variable to it finds the image as if ``qd`` had made it before.
"""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from pathlib import Path

from quarterdeck.core.arch import find_arch
from quarterdeck.core.report import Event, Step
from quarterdeck.media.debian.assemble import assemble
from quarterdeck.media.debian.bootstrap import debian_image as make_image
from quarterdeck.media.debian.install import install
from quarterdeck.media.debian.mirror import find_mirror
from quarterdeck.media.debian.privilege import claim, find_privilege, workspace
from quarterdeck.media.debian.recipe import Recipe, make_recipe
from quarterdeck.media.store import ImageStore, Manifest, StoredImage

_ENGINE = ("crun", "passt", "podman", "uidmap")
"""Packages with which an ordinary user of the guest builds images; recommendations are not installed."""


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


def engine_guest(arch: str, suite: str = "trixie") -> StoredImage:
    """Return a Debian with podman in it, made once: to install that in a running guest that is emulated takes longer than all else."""
    return asyncio.run(_engine_guest(arch, suite))


async def _engine_guest(arch: str, suite: str) -> StoredImage:
    plain = make_recipe(suite, find_arch(arch), await find_mirror())
    recipe = replace(plain, packages=tuple(sorted((*plain.packages, *_ENGINE))))

    async def build(folder: Path) -> Manifest:
        return await _make(recipe, folder)

    return await ImageStore(shared_home() / "engine-guests").obtain(recipe.key, build, report=_show)


async def _make(recipe: Recipe, folder: Path) -> Manifest:
    privilege = await find_privilege()
    work = workspace(privilege, folder)
    claim(work)
    try:
        tar = await install(recipe, privilege, folder=work, report=_show)
        return await assemble(recipe, privilege, tar=tar, work=work, folder=folder, report=_show)
    finally:
        await privilege.remove(work)


def _show(event: Event) -> None:
    if isinstance(event, Step) and event.done is None:
        print(event.detail, flush=True)
