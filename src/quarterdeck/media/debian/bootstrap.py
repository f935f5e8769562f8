"""``debian[:SUITE]``: found in the store, or made from the mirror."""

from __future__ import annotations

import asyncio
from pathlib import Path

from quarterdeck.core.arch import Arch
from quarterdeck.core.report import Level, Message, Reporter, Step, StepStatus
from quarterdeck.errors import MediaError, UsageError
from quarterdeck.media.debian import suites
from quarterdeck.media.debian.assemble import assemble, manifest
from quarterdeck.media.debian.emulator import check_emulator
from quarterdeck.media.debian.install import check_tools, install
from quarterdeck.media.debian.mirror import OVERRIDE, Mirror, fetch_release, find_mirror
from quarterdeck.media.debian.privilege import Privilege, claim, find_privilege, free_space, leftover, workspace
from quarterdeck.media.debian.recipe import Recipe, make_recipe
from quarterdeck.media.disk import disk_full
from quarterdeck.media.store import Build, ImageStore, Manifest, StoredImage

_NEEDED_SPACE = 3 << 30
"""Bytes: the tar, the unpacked tree, the sparse disk and the result, measured at 2.2 GiB for amd64."""


async def debian_image(
    suite: str | None, arch: Arch, *, report: Reporter, refresh: bool = False, store: ImageStore | None = None
) -> StoredImage:
    """Return the base image of Debian ``suite`` (a codename; None: stable) for ``arch``, made now if it is not in the store.

    Raises:
        UsageError: Debian has no such suite or architecture.
        HostError: this host cannot make it: a tool, an emulator, user namespaces or space is missing.
        MediaError: the mirror or the installation failed.
    """
    recipe = await _recipe(suite, arch)
    store = store or ImageStore()
    stored = None if refresh else store.find(recipe.key)
    if stored is None:
        stored = await store.obtain(recipe.key, _builder(recipe, report), report=report, refresh=refresh)
    report(Step("image", StepStatus.DONE, stored.manifest.origin))
    return stored


async def planned_image(suite: str | None, arch: Arch, *, store: ImageStore | None = None) -> StoredImage:
    """Return the image that :func:`debian_image` would return, but make nothing: it may not be there yet.

    Raises:
        UsageError: Debian has no such architecture.
    """
    recipe = await _recipe(suite, arch)
    store = store or ImageStore()
    return store.find(recipe.key) or StoredImage(store.root / recipe.key, 0.0, manifest(recipe))


async def _recipe(suite: str | None, arch: Arch) -> Recipe:
    if not arch.debian or not arch.debian_kernel:
        raise UsageError("no-debian", f"there is no Debian for {arch.name}", hint="name a disk image instead")
    return make_recipe(suite or suites.stable_suites()[0].name, arch, await find_mirror())


def _builder(recipe: Recipe, report: Reporter) -> Build:
    async def build(folder: Path) -> Manifest:
        return await _build(recipe, folder, report)

    return build


async def _build(recipe: Recipe, folder: Path, report: Reporter) -> Manifest:
    report(Step("image", StepStatus.RUNNING, f"Debian {recipe.suite} for {recipe.arch.name}: looking at the mirror"))
    check_tools()
    check_emulator(recipe.arch)
    privilege = await find_privilege()
    recipe = await _check_mirror(recipe, report)
    work = workspace(privilege, folder)
    await _claim(privilege, work)
    try:
        tar = await install(recipe, privilege, folder=work, report=report)
        return await assemble(recipe, privilege, tar=tar, work=work, folder=folder, report=report)
    finally:
        # Also when the user interrupts: gigabytes must not stay.
        await asyncio.shield(privilege.remove(work))


async def _claim(privilege: Privilege, work: Path) -> None:
    if leftover(work):
        await privilege.remove(work)
    if (free := free_space(work)) < _NEEDED_SPACE:
        raise disk_full(work.parent, free, needed=_NEEDED_SPACE)
    claim(work)


async def _check_mirror(recipe: Recipe, report: Reporter) -> Recipe:
    """Make sure that the mirror has the suite and the architecture; leave out a security archive that it has not."""
    mirror, suite, arch = recipe.mirror, recipe.suite, recipe.arch
    release = await fetch_release(mirror.main, suite)
    if release is None:
        raise MediaError(
            "suite-not-on-mirror", f"the mirror {mirror.main} has no suite {suite}", hint=f"set {OVERRIDE} to a mirror that has it"
        )
    if arch.debian not in release.architectures:
        have = ", ".join(sorted(release.architectures - {"all"}))
        raise UsageError(
            "arch-not-in-suite", f"Debian {suite} does not exist for {arch.name}", reason=f"it is made for {have}", hint=_newer(suite)
        )
    if mirror.security and suite != "sid" and await fetch_release(mirror.security, f"{suite}-security") is None:
        report(Message(Level.WARNING, f"{mirror.security} has no {suite}-security: the guest will get no security updates from it"))
        return make_recipe(suite, arch, Mirror(mirror.main, "", mirror.options))
    return recipe


def _newer(suite: str) -> str:
    later = [name.name for name in suites.all_suites() if name.name != suite]
    return f"try another suite: {', '.join(f'debian:{name}' for name in later)}"
