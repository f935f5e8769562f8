"""From what a user calls ``boot`` to files on this host."""

from __future__ import annotations

import asyncio
import difflib
import os
from pathlib import Path

from quarterdeck.core.arch import Arch
from quarterdeck.core.images import ImageFile, KernelBoot
from quarterdeck.core.report import Reporter, Step, StepStatus, silent
from quarterdeck.core.url import is_url, local_path
from quarterdeck.errors import UsageError
from quarterdeck.media.boot_media import BootMedia, Fetch
from quarterdeck.media.catalogue.catalogue import Catalogue
from quarterdeck.media.catalogue.model import Kind
from quarterdeck.media.debian import suites
from quarterdeck.media.debian.bootstrap import debian_image, planned_image
from quarterdeck.media.local import boot_file, expand
from quarterdeck.media.remote import boot_entry, boot_url, find_entry
from quarterdeck.media.store import StoredImage
from quarterdeck.provision.kind import Provisioning


async def resolve_boot(
    boot: str | None, arch: Arch, *, fetch: Fetch | None = None, report: Reporter = silent, make: bool = True
) -> BootMedia:
    """Find, fetch or make what a machine boots from.

    ``boot`` is ``NAME[:RELEASE]`` of the catalogue, a URL, or the path of an image, which may be packed; a file that is called like an
    entry is written ``./NAME``. A ``file:`` URL is the path that it names. Without ``make`` nothing is fetched or made but pages of
    publishers, and the files may not be there yet.

    Raises:
        UsageError: neither a name nor a URL nor a file, or it has no such release or architecture.
        MediaError: the image cannot be had or cannot be used.
        HostError: this host cannot make or hold the image.
    """
    fetch = fetch or Fetch()
    if boot is None:
        return BootMedia(origin="the machine's own disk")
    boot = local_path(boot)
    if is_url(boot):
        media = await boot_url(boot, fetch=fetch, report=report, make=make)
    else:
        media = await _named_or_local(boot, arch, fetch=fetch, report=report, make=make)
    report(Step("image", StepStatus.DONE, media.origin))
    return media


async def _named_or_local(boot: str, arch: Arch, *, fetch: Fetch, report: Reporter, make: bool) -> BootMedia:
    catalogue: Catalogue | None = None
    if "/" not in boot:
        catalogue, entry = await find_entry(boot, fetch)
        if entry is not None and entry.kind is Kind.BOOTSTRAP:
            return await _bootstrap(boot.partition(":")[2], arch, refresh=fetch.refresh, report=report, make=make)
        if entry is not None:
            return await boot_entry(entry, boot, arch, fetch=fetch, report=report, make=make)
    path = await asyncio.to_thread(_find_file, boot, catalogue)
    report(Step("image", StepStatus.RUNNING, f"looking at {path}"))
    return await boot_file(path, fetch, report)


async def _bootstrap(suite: str, arch: Arch, *, refresh: bool, report: Reporter, make: bool) -> BootMedia:
    wanted = suites.find_suite(suite) if suite else None
    return _debian(await debian_image(wanted, arch, report=report, refresh=refresh) if make else await planned_image(wanted, arch))


def _debian(stored: StoredImage) -> BootMedia:
    manifest, folder = stored.manifest, stored.folder
    return BootMedia(
        disk=ImageFile(str(stored.disk), "qcow2", manifest.virtual_size),
        kernel=KernelBoot(str(folder / manifest.kernel), str(folder / manifest.initrd), manifest.cmdline),
        uefi=manifest.uefi,
        bios=manifest.bios,
        provisioning=Provisioning.CLOUD_INIT,
        login=manifest.login,
        origin=manifest.origin,
    )


def _find_file(boot: str, catalogue: Catalogue | None) -> Path:
    path = expand(boot)
    try:
        if path.exists() or path.is_symlink():
            return path
    except OSError:  # a name that is too long, or a folder that may not be entered
        return path
    hint = _suggestion(boot, path, catalogue)
    raise UsageError("unknown-boot", f"there is nothing to boot called '{boot}'", reason=_why(path), hint=hint)


def _why(path: Path) -> str:
    if path.parent != Path() and not path.parent.is_dir():
        return f"there is no folder {path.parent}"
    return "it is neither a name of the catalogue nor a file"


def _suggestion(boot: str, path: Path, catalogue: Catalogue | None) -> str:
    if (suite := suites.known(boot.lower().removeprefix("debian").lstrip(":-/ "))) is not None:
        return f"did you mean 'debian:{suite}'?"
    try:
        files = os.listdir(path.parent)
    except OSError:
        files = []
    if close := difflib.get_close_matches(path.name, files, n=1):
        return f"did you mean '{path.parent / close[0]}'?"
    if catalogue is not None and (name := catalogue.close(boot.partition(":")[0])):
        return f"did you mean '{name}'?"
    return "'qd catalogue ls' lists what can be named; anything else is a URL or the path of a disk or ISO image"
