"""What ``qd catalogue fetch`` is asked for, brought into the library: an entry, a URL, a file."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from quarterdeck.cli.catalogue.view import as_json
from quarterdeck.core.arch import Arch
from quarterdeck.core.report import Level, Message, Reporter, Step, StepStatus
from quarterdeck.media import disk
from quarterdeck.media.catalogue.catalogue import Catalogue
from quarterdeck.media.catalogue.model import Entry, Kind
from quarterdeck.media.catalogue.pages import Pages
from quarterdeck.media.catalogue.resolve import ResolvedEntry, choose_image, resolve_entry
from quarterdeck.media.fetch.address import shown
from quarterdeck.media.fetch.download import Proof
from quarterdeck.media.fetch.http import Http
from quarterdeck.media.fetch.model import Checksum, Wanted
from quarterdeck.media.library.entry import LibraryImage
from quarterdeck.media.library.library import Library, Options
from quarterdeck.media.local import expand, local_media


@dataclass(frozen=True)
class Fetched:
    """An image that can be booted now: where it is, what proved the file that it came from, and what scripts are told."""

    path: Path
    proof: Proof
    detail: str = ""
    origin: str = ""
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def proof_text(self) -> str:
        """How it was proved, as one line for people."""
        if self.proof is Proof.NOTHING:
            return "proved by nothing: it was taken as it is"
        return f"proved by its {self.proof}{f' {self.detail}' if self.detail else ''}{f', from {self.origin}' if self.origin else ''}"

    def to_json(self) -> dict[str, Any]:
        """Return the object that ``--json`` prints; all of them have ``path``, ``proof`` and ``image``."""
        return {"path": str(self.path), "proof": self.proof.value, **self.details}


def is_file(word: str, catalogue: Catalogue) -> bool:
    """Whether ``word`` is the path of a file rather than a name of the catalogue, as ``qd run`` takes it."""
    if "/" in word or word.startswith("~"):
        return True
    return catalogue.get(word.partition(":")[0]) is None and os.path.exists(word)


async def fetch_entry(
    entry: Entry,
    arch: Arch,
    *,
    release: str | None,
    kind: Kind | None,
    checksum: Checksum | None,
    options: Options,
    mirror: str,
    report: Reporter,
) -> Fetched:
    """Find the file of a catalogue entry and import it; ``checksum`` stands in place of the publisher's.

    Raises:
        UsageError: the entry has no such file.
        MediaError: it cannot be had, or is not what its publisher says.
        HostError: no space, or a program is missing.
    """
    choose_image(entry, arch, kind)  # what cannot be is said before anybody is asked
    async with Http() as http:
        pages = Pages(http, mirror=mirror)
        try:
            report(Step("find", StepStatus.RUNNING, f"asking for the newest {entry.title}"))
            resolved = await resolve_entry(entry, arch=arch, pages=pages, release=release, kind=kind, unverified=options.unverified)
            report(Step("find", StepStatus.DONE, f"{resolved.title} for {resolved.arch}, proved by {resolved.trust}"))
        finally:
            await pages.close()
        wanted = resolved.wanted if checksum is None else replace(resolved.wanted, checksum=checksum)
        image = await Library().obtain_url(wanted, http=http, report=report, options=options)
    return _of_entry(resolved, image)


def _of_entry(resolved: ResolvedEntry, image: LibraryImage) -> Fetched:
    return replace(_imported(image), details={**as_json(resolved), "proof": resolved.trust.value, "image": image.to_json()})


async def fetch_url(url: str, checksum: Checksum | None, *, options: Options, report: Reporter) -> Fetched:
    """Import what is at ``url``.

    Raises:
        UsageError: it is no URL.
        MediaError: it cannot be had, nothing proves it, or it holds no image.
        HostError: no space, or a program is missing.
    """
    wanted = Wanted((url,), checksum=checksum, origin="the user" if checksum else "")
    if options.unverified and not wanted.verifiable:
        report(Message(Level.WARNING, f"nothing proves that {shown(url)} is what it should be; it is taken as it is"))
    async with Http() as http:
        image = await Library().obtain_url(wanted, http=http, report=report, options=options)
    return replace(_imported(image), details={"source": shown(url), "image": image.to_json()})


async def fetch_file(word: str, checksum: Checksum | None, *, options: Options, report: Reporter) -> Fetched:
    """Import what is packed in a file of this host; an image that a machine can stand on stays where it is.

    Raises:
        MediaError: it is missing, not what ``checksum`` says, or holds no image.
        HostError: no space, or a program is missing.
    """
    path = await asyncio.to_thread(expand(word).absolute)
    image = await Library().obtain_file(path, checksum=checksum, report=report, options=options)
    if image is not None:
        return replace(_imported(image), details={"source": str(path), "image": image.to_json()})
    await local_media(path)  # refused now rather than by the machine
    found = await disk.info(path)
    report(Step("image", StepStatus.DONE, f"{path} is used where it lies"))
    proof = Proof.NOTHING if checksum is None else Proof.CHECKSUM
    details = {"source": str(path), "image": {"path": str(found.path), "format": found.format.value, "virtual_size": found.virtual_size}}
    return Fetched(found.path, proof, str(checksum or ""), details=details)


def _imported(image: LibraryImage) -> Fetched:
    manifest = image.manifest
    return Fetched(image.disk, manifest.proof, manifest.detail, manifest.origin)
