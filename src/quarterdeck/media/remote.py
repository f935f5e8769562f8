"""Images that are elsewhere: names of the catalogue and URLs, fetched into the library once."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace

from quarterdeck.core import paths
from quarterdeck.core.arch import Arch
from quarterdeck.core.images import ImageFile
from quarterdeck.core.report import Level, Message, Reporter, Step, StepStatus
from quarterdeck.errors import MediaError
from quarterdeck.media.boot_media import BootMedia, Fetch
from quarterdeck.media.catalogue.catalogue import Catalogue
from quarterdeck.media.catalogue.model import Entry, Firmware, Kind
from quarterdeck.media.catalogue.pages import Pages, check_mirror
from quarterdeck.media.catalogue.resolve import ResolvedEntry, resolve_entry
from quarterdeck.media.catalogue.source import open_catalogue
from quarterdeck.media.fetch.address import shown
from quarterdeck.media.fetch.http import Http
from quarterdeck.media.fetch.model import Checksum, Wanted
from quarterdeck.media.library.entry import LibraryImage
from quarterdeck.media.library.library import Library, Options
from quarterdeck.media.local import local_media

MIRROR = "QUARTERDECK_MIRROR"
"""Environment variable: URL of a server to ask instead of the publishers, see ``Pages``."""


async def find_entry(boot: str, fetch: Fetch) -> tuple[Catalogue, Entry | None]:
    """Return the catalogue, and the entry that ``boot`` names or None.

    Raises:
        UsageError: a catalogue cannot be used.
        MediaError: a catalogue cannot be had.
    """
    catalogue = await open_catalogue(fetch.catalogue)
    return catalogue, catalogue.get(boot.partition(":")[0])


async def boot_entry(entry: Entry, boot: str, arch: Arch, *, fetch: Fetch, report: Reporter, make: bool) -> BootMedia:
    """Return the image of a catalogue entry, fetched and proved now if it is not there yet; without ``make`` it may not be there.

    Raises:
        UsageError: it has no such release or architecture, or something else is to be done instead.
        MediaError: it cannot be had, or is not what its publisher says.
        HostError: no space, or a program is missing.
    """
    release = boot.partition(":")[2] or None
    report(Step("image", StepStatus.RUNNING, f"asking for the newest {entry.title}"))
    async with Http() as http:
        pages = Pages(http, mirror=_mirror())
        try:
            found = await resolve_entry(entry, arch=arch, pages=pages, release=release, unverified=fetch.unverified)
        finally:
            await pages.close()
        wanted = found.wanted if fetch.checksum is None else replace(found.wanted, checksum=Checksum.parse(fetch.checksum))
        image = await _obtain(wanted, fetch, http=http, report=report, make=make)
    if image is None:
        return _planned(found)
    return _with_facts(await local_media(image.disk), found)


async def boot_url(url: str, *, fetch: Fetch, report: Reporter, make: bool) -> BootMedia:
    """Return the image at ``url``, fetched now if it is not there yet.

    Raises:
        UsageError: no URL.
        MediaError: it cannot be had, or nothing proves it; or it is not there and ``make`` is false.
        HostError: no space, or a program is missing.
    """
    wanted = Wanted((url,), checksum=None if fetch.checksum is None else Checksum.parse(fetch.checksum), origin="the user")
    async with Http() as http:
        image = await _obtain(wanted, fetch, http=http, report=report, make=make)
    if image is None:
        raise MediaError(
            "image-not-fetched",
            f"{shown(url)} was not fetched yet",
            reason="what it is can only be told when it is here",
            hint="'qd run' fetches it; 'qd explain' only looks",
        )
    return replace(await local_media(image.disk), origin=f"the {image.format.value} image of {shown(url)}")


async def _obtain(wanted: Wanted, fetch: Fetch, *, http: Http, report: Reporter, make: bool) -> LibraryImage | None:
    library, options = Library(), Options(unverified=fetch.unverified, member=fetch.member, refresh=fetch.refresh)
    if not make:
        return await asyncio.to_thread(library.find_url, wanted, options)
    if fetch.unverified and not wanted.verifiable:
        report(Message(Level.WARNING, f"nothing proves that {shown(wanted.urls[0])} is what it should be; it is taken as it is"))
    return await library.obtain_url(wanted, http=http, report=report, options=options)


def _mirror() -> str:
    value = os.environ.get(MIRROR, "")
    return check_mirror(value) if value else ""


def _with_facts(media: BootMedia, found: ResolvedEntry) -> BootMedia:
    """Lay what the catalogue says over what the image shows."""
    only_uefi, only_bios = found.firmware is Firmware.UEFI, found.firmware is Firmware.BIOS
    return replace(
        media,
        uefi=True if only_uefi else False if only_bios else media.uefi,
        bios=True if only_bios else False if only_uefi else media.bios,
        provisioning=found.provisioning,
        login=found.login.user if found.login else "",
        least_memory=found.memory or 0,
        least_disk=found.disk or 0,
        origin=found.title,
    )


def _planned(found: ResolvedEntry) -> BootMedia:
    """What is not there yet stands by the path of the library; its size is what the catalogue says."""
    path = str(paths.images() / "library" / f"{found.entry.name}-to-be-fetched")
    is_disc = found.kind is Kind.ISO
    image = ImageFile(path, "raw" if is_disc else "qcow2", 0)
    media = BootMedia(iso=image) if is_disc else BootMedia(disk=image)
    return replace(_with_facts(media, found), origin=f"{found.title}, not fetched yet")
