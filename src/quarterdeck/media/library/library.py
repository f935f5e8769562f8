"""The library: images from URLs and packed files, imported once and shared by all machines."""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from quarterdeck.core import clock, paths
from quarterdeck.core.fs import allocated
from quarterdeck.core.report import Level, Message, Reporter, Step, StepStatus, silent
from quarterdeck.core.size import format_size
from quarterdeck.errors import HostError, MediaError, QuarterdeckError
from quarterdeck.media.entries import not_writable
from quarterdeck.media.fetch.address import shown
from quarterdeck.media.fetch.download import Download, Proof, Verified, checksum_wrong, open_download
from quarterdeck.media.fetch.http import Http
from quarterdeck.media.fetch.model import Checksum, Wanted
from quarterdeck.media.library import entry as entries
from quarterdeck.media.library import index as indexes
from quarterdeck.media.library import intake
from quarterdeck.media.library.entry import ImportManifest, LibraryImage
from quarterdeck.media.library.index import Index
from quarterdeck.media.library.prune import LIBRARY
from quarterdeck.media.library.shelf import Shelf
from quarterdeck.media.packing.limits import Limits
from quarterdeck.media.packing.unpack import Unpacked

_RESTARTS = 2
_MAYBE_THE_DOWNLOAD = frozenset({"archive-damaged", "archive-truncated"})
"""Failures of unpacking that a wrong checksum explains better."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """How to import.

    ``unverified`` accepts a file that nothing proves, and is recorded; ``member`` names the image in an archive that has several;
    ``refresh`` fetches it although it is there (for URLs whose file changes); ``connections`` is the most to one server; ``result`` the
    space in bytes that the unpacked image needs, if that is known before.
    """

    unverified: bool = False
    member: str | None = None
    refresh: bool = False
    connections: int = 4
    result: int = 0
    limits: Limits = Limits()  # noqa: RUF009 - frozen


class Library:
    """The imported images of this host."""

    def __init__(self, *, images: Path | None = None, downloads: Path | None = None) -> None:
        self._shelf = Shelf((images or paths.images()) / LIBRARY)
        self._index = Index(self._shelf.root)
        self.downloads = downloads or paths.cache() / "downloads"

    def entries(self) -> list[LibraryImage]:
        """Return all complete entries."""
        return self._shelf.entries()

    def find_url(self, wanted: Wanted, options: Options | None = None) -> LibraryImage | None:
        """Return the entry that ``wanted`` was imported as, or None; asks no server."""
        options = options or Options()
        return self._find(indexes.subject(wanted, options.member), wanted, options)

    async def obtain_url(self, wanted: Wanted, *, http: Http, report: Reporter = silent, options: Options | None = None) -> LibraryImage:
        """Return the image that ``wanted`` is, fetched and unpacked now if it is not there yet.

        Of several processes that want it at once, one fetches and the others wait and say so. An interrupted download goes on where it
        stopped. A file that changes meanwhile is fetched again, a mirror with a wrong file is left for the next one.

        Raises:
            UsageError: a URL is none.
            MediaError: nothing proves it and ``unverified`` is false; it cannot be had, is not what was wanted, or holds no image.
            HostError: no space, or the library cannot be written.
        """
        options = options or Options()
        _check_allowed(wanted, options)
        name = indexes.subject(wanted, options.member)
        before = await asyncio.to_thread(self._find, name, wanted, options)
        if before is not None and not options.refresh:
            return _found(before, report)
        async with self._shelf.lock(indexes.key(name), report):
            now = await asyncio.to_thread(self._find, name, wanted, options)
            if now is not None and (before is None or now.manifest.created != before.manifest.created):
                return _found(now, report)
            return await self._import_url(wanted, name, http=http, report=report, options=options)

    async def obtain_file(
        self, path: Path, *, checksum: Checksum | None = None, report: Reporter = silent, options: Options | None = None
    ) -> LibraryImage | None:
        """Return the image that is packed in a file of this host, or None when the file itself is an image that a machine can stand on.

        The file is never changed. The same content is unpacked once, whatever its name.

        Raises:
            MediaError: it is missing, not the file of ``checksum``, damaged, or holds no image.
            HostError: no space, or the library cannot be written.
        """
        options = options or Options()
        path = await asyncio.to_thread(path.absolute)
        plain = options.member is None and await asyncio.to_thread(intake.is_plain, path)
        if plain and checksum is None:
            return None
        name = await asyncio.to_thread(_file_name, path, options.member)
        if checksum is None and (known := await asyncio.to_thread(self._entry, name)) is not None:
            return _found(known, report)
        sha256, value = await intake.hash_file(path, checksum, report)
        if checksum is not None and value != checksum.value:
            raise checksum_wrong(str(path), f"{checksum.algorithm}:{value}", str(checksum))
        return None if plain else await self._import_file(path, name, sha256, checksum=checksum, report=report, options=options)

    def _entry(self, name: str) -> LibraryImage | None:
        folder = self._index.find(name)
        return None if folder is None else entries.load(folder)

    def _find(self, name: str, wanted: Wanted, options: Options) -> LibraryImage | None:
        """Return the entry of a request if it is proved as well as the request wants; what a checksum names is proved by that."""
        image = self._entry(name)
        if image is None:
            return None
        if image.manifest.proof is Proof.NOTHING and wanted.checksum is not None:
            return self._upgrade(image, wanted)
        return image if image.manifest.proof is not Proof.NOTHING or options.unverified else None

    def _upgrade(self, image: LibraryImage, wanted: Wanted) -> LibraryImage:
        """What was taken on trust turns out to be what a checksum names; it was found by that."""
        manifest = replace(image.manifest, proof=Proof.CHECKSUM, detail=str(wanted.checksum), origin=wanted.origin)
        try:
            entries.save(image.folder, manifest)
        except OSError:
            return image  # another user's library
        return LibraryImage(image.folder, manifest)

    async def _import_url(self, wanted: Wanted, name: str, *, http: Http, report: Reporter, options: Options) -> LibraryImage:
        rest, restarts = wanted, 0
        while True:
            job = _Job(rest, http, self.downloads, report, options)
            try:
                return await self._import_once(job, name)
            except MediaError as error:
                again = _another_way(error, rest, job)
                if again is None or restarts >= _RESTARTS:
                    raise
                restarts += again.urls == rest.urls
                report(Message(Level.WARNING, f"{error.message} ({error.reason or error.hint}); {_going_on(again, rest)}"))
                rest = again

    async def _import_once(self, job: _Job, name: str) -> LibraryImage:
        key, options, wanted = indexes.key(name), job.options, job.wanted
        async with (
            self._shelf.building(key) as folder,
            open_download(
                wanted, folder=self.downloads, http=job.http, report=job.report, connections=options.connections, result=options.result
            ) as download,
        ):
            job.resumed = download.resumed
            verified, unpacked = await _receive(download, folder, job)
            manifest = ImportManifest(
                disk=unpacked.path.name, format=unpacked.format, sha256=verified.sha256, size=verified.size,
                source=shown(wanted.urls[0]), proof=verified.proof, detail=verified.detail, origin=wanted.origin,
                member=options.member or "", members=unpacked.members, created=clock.now(),
            )  # fmt: skip
            image = await asyncio.to_thread(self._publish, folder, manifest, name)
            download.discard()
        job.report(Step("image", StepStatus.DONE, _summary(image)))
        return image

    async def _import_file(
        self, path: Path, name: str, sha256: str, *, checksum: Checksum | None, report: Reporter, options: Options
    ) -> LibraryImage:
        content = indexes.with_member(f"sha256:{sha256}", options.member)
        async with self._shelf.lock(indexes.key(content), report):
            known = await asyncio.to_thread(self._entry, content)
            if known is not None:
                await asyncio.to_thread(self._note, known.folder, [name])
                return _found(known, report)
            async with self._shelf.building(indexes.key(content)) as folder:
                request = intake.Request(options.member, options.limits, report)
                unpacked = await intake.unpack_file(path, folder, request)
                manifest = ImportManifest(
                    disk=unpacked.path.name, format=unpacked.format, sha256=sha256, size=os.stat(path).st_size, source=str(path),
                    proof=Proof.CHECKSUM if checksum else Proof.NOTHING, detail=str(checksum or ""), origin="",
                    member=options.member or "", members=unpacked.members, created=clock.now(),
                )  # fmt: skip
                image = await asyncio.to_thread(self._publish, folder, manifest, name)
        report(Step("image", StepStatus.DONE, _summary(image)))
        return image

    def _publish(self, folder: Path, manifest: ImportManifest, name: str) -> LibraryImage:
        content = indexes.with_member(f"sha256:{manifest.sha256}", manifest.member or None)
        image = self._shelf.put(folder, indexes.key(content), manifest)
        if image.manifest != manifest:
            image = self._take_over(image, manifest)
        self._note(image.folder, [name, content])
        return image

    def _take_over(self, image: LibraryImage, manifest: ImportManifest) -> LibraryImage:
        """The same file came again: what proves it may be better now, never worse."""
        old = image.manifest
        proof = manifest if manifest.proof is not Proof.NOTHING else old
        merged = replace(old, proof=proof.proof, detail=proof.detail, origin=proof.origin, created=manifest.created)
        try:
            entries.save(image.folder, merged)
        except OSError as error:
            raise not_writable(self._shelf.root, error) from error
        return LibraryImage(image.folder, merged)

    def _note(self, folder: Path, names: list[str]) -> None:
        try:
            for name in names:
                self._index.note(name, folder)
        except OSError as error:
            raise not_writable(self._shelf.root, error) from error


@dataclass
class _Job:
    """One try to import."""

    wanted: Wanted
    http: Http
    downloads: Path
    report: Reporter
    options: Options
    resumed: bool = False


async def _receive(download: Download, folder: Path, job: _Job) -> tuple[Verified, Unpacked]:
    """Unpack while the download runs; of two failures the one that explains the other is raised."""
    request = intake.Request(job.options.member, job.options.limits, job.report, job.options.result, lambda: download.missing)
    finishing = asyncio.create_task(download.finish())
    # A thread of its own: those that all share might wait for downloads, and downloads for one of them.
    executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="unpack")
    unpacking = asyncio.get_running_loop().run_in_executor(executor, intake.take_in, download.source, folder, request)
    try:
        both: list[asyncio.Future[Any]] = [finishing, unpacking]
        await asyncio.wait(both, return_when=asyncio.FIRST_EXCEPTION)
        if unpacking.done() and not finishing.done():
            error = unpacking.exception()
            if error is not None and not (isinstance(error, QuarterdeckError) and error.key in _MAYBE_THE_DOWNLOAD):
                raise error
        verified = await finishing
        try:
            return verified, await unpacking
        except MediaError as error:
            if error.key in _MAYBE_THE_DOWNLOAD and verified.proof is Proof.NOTHING:
                download.discard()  # the next run is not to meet the same damage
            raise
    finally:
        finishing.cancel()
        # The thread ends as soon as its source does, or qemu-img sees that it is to stop.
        request.stop.set()
        download.source.close()
        await asyncio.gather(finishing, unpacking, return_exceptions=True)
        executor.shutdown(wait=False)


def _another_way(error: MediaError, wanted: Wanted, job: _Job) -> Wanted | None:
    """Return what to try after a failure, None for nothing."""
    if error.key == "download-changed":
        return wanted
    if error.key in ("checksum-wrong", "signature-wrong"):
        if job.resumed:
            return wanted
        if len(wanted.urls) > 1:
            return replace(wanted, urls=wanted.urls[1:])
    return None


def _going_on(again: Wanted, before: Wanted) -> str:
    return "fetching all of it again" if again.urls == before.urls else f"trying {shown(again.urls[0])}"


def _check_allowed(wanted: Wanted, options: Options) -> None:
    """Nothing is imported that nothing proves, unless the user says so.

    Raises:
        MediaError: that is the case here.
    """
    if wanted.verifiable or options.unverified:
        return
    plain = any(url.lower().startswith("http:") for url in wanted.urls)
    raise MediaError(
        "download-unverified",
        f"nothing proves that {shown(wanted.urls[0])} is what it should be",
        reason="neither a checksum nor a signature of it is known" + (", and it does not even come encrypted" if plain else ""),
        hint="give its checksum, or take it as it is with --unverified",
    )


def _found(image: LibraryImage, report: Reporter) -> LibraryImage:
    try:
        os.utime(image.folder)  # so that prune sees that it was asked for
    except OSError:
        report(Message(Level.INFO, f"{image.folder} belongs to another user; only that one can prune it"))
    report(Step("image", StepStatus.DONE, f"{image.manifest.source}, in the library since it was first fetched"))
    return image


def _summary(image: LibraryImage) -> str:
    try:
        size = format_size(allocated(image.disk))
    except OSError as error:
        raise HostError("image-gone", f"{image.disk} is gone", reason=error.strerror or "") from error
    return f"{image.format.value}, {size} on disk"


def _file_name(path: Path, member: str | None) -> str:
    try:
        return indexes.file_subject(path, member)
    except OSError as error:
        raise MediaError("image-unreadable", f"{path} cannot be read", reason=error.strerror or "") from error
