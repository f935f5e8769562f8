"""One download from start to proof: lock, journal, connections, checksums."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from quarterdeck.core.fs import try_lock
from quarterdeck.core.report import Level, Message, Reporter, silent
from quarterdeck.core.size import format_size
from quarterdeck.errors import MediaError, QuarterdeckError
from quarterdeck.media.fetch import journal as journals
from quarterdeck.media.fetch.address import shown
from quarterdeck.media.fetch.digest import Digest
from quarterdeck.media.fetch.http import Http
from quarterdeck.media.fetch.journal import Identity, Journal
from quarterdeck.media.fetch.model import Wanted
from quarterdeck.media.fetch.partfile import Arrival, PartFile, PartSource
from quarterdeck.media.fetch.progress import Meter
from quarterdeck.media.fetch.ranges import Ranges
from quarterdeck.media.fetch.room import check_room, write_error
from quarterdeck.media.fetch.signature import check_signature
from quarterdeck.media.fetch.transfer import Listener, Transfer, first_error

_POLL_SECONDS = 0.5
_JOURNAL_SECONDS = 1.0
_SYNC_EVERY = 10
"""Journals between two that survive a power cut."""
_SIGNATURE_LIMIT = 1 << 20


class Proof(StrEnum):
    """What showed that a file is the one that its publisher made."""

    CHECKSUM = "checksum"
    SIGNATURE = "signature"
    NOTHING = "nothing"


@dataclass(frozen=True)
class Verified:
    """A complete file: its size in bytes, its SHA-256 in hexadecimal, and the proof with one line about it."""

    size: int
    sha256: str
    proof: Proof
    detail: str


class Download:
    """A download that runs; made by :func:`open_download`.

    Attributes:
        source: its bytes from the first to the last, to be read in a thread while they still come.
        resumed: whether some of them were left by an earlier run.
    """

    def __init__(self, wanted: Wanted, http: Http, *, path: Path, report: Reporter, connections: int, result: int) -> None:
        self._wanted = wanted
        self._http = http
        self._report = report
        self._result = result
        self._path = path
        self._journal_path = path.with_suffix(".json")
        self._durable = Ranges()
        self._gone = False
        self._executor = ThreadPoolExecutor(max_workers=3, thread_name_prefix="download")
        self._arrival = Arrival()
        name = shown(wanted.urls[0])
        self._meter = Meter(name.partition("?")[0].rstrip("/").rpartition("/")[2] or name, report)
        left = self._left_behind()
        self._part = PartFile(path)
        self._digest = Digest(self._part, {"sha256", *([wanted.checksum.algorithm] if wanted.checksum else [])})
        listener = Listener(size=self._learn_size, growth=self._grow, report=report)
        self._transfer = Transfer(
            wanted, http, part=self._part, executor=self._executor, connections=max(1, connections), listener=listener
        )
        self.source = PartSource(path, name, self._arrival)
        self.resumed = left is not None
        if left is not None:
            self._go_on(left)
        self._task = asyncio.create_task(self._run())

    @property
    def missing(self) -> int:
        """The bytes that are still to come; 0 while nobody knows how many."""
        return max(0, (self._transfer.size or 0) - self._transfer.done.count)

    async def finish(self) -> Verified:
        """Return once the file is complete and proved.

        Raises:
            FetchError: it cannot be had; ``download-changed`` when all of it must be fetched again.
            MediaError: it is not the file that was wanted; nothing of it is kept.
            HostError: it does not fit, or cannot be written.
        """
        return await asyncio.shield(self._task)

    def take(self, target: Path) -> None:
        """Move the complete file to ``target``, on the same file system.

        Raises:
            OSError: it cannot be moved.
        """
        os.rename(self._path, target)
        self.discard()

    def discard(self) -> None:
        """Keep nothing of it: the next run starts over."""
        self._gone = True
        self._path.unlink(missing_ok=True)
        for path in (self._journal_path, self._journal_path.with_suffix(".new")):
            path.unlink(missing_ok=True)

    async def close(self) -> None:
        """Stop; what is there is kept for the next run."""
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError, QuarterdeckError):
            await self._task
        self.source.close()
        await asyncio.to_thread(self._executor.shutdown)
        self._part.close()
        if self._gone:
            self.discard()  # also a journal that was just being written

    def _left_behind(self) -> Journal | None:
        """Return the journal of an earlier run, if one can go on with it; else start with an empty file."""
        left = journals.load(self._journal_path, self._path)
        wanted = self._wanted
        if left is not None and journals.usable(left, verifiable=wanted.verifiable) and wanted.size in (None, left.identity.total):
            return left
        self._path.unlink(missing_ok=True)
        self._journal_path.unlink(missing_ok=True)
        return None

    def _go_on(self, left: Journal) -> None:
        self._transfer.resume(left.identity, Ranges(left.written))
        self._durable = Ranges(left.durable)
        self.source.size = left.identity.total
        done, total = self._transfer.done.count, left.identity.total or 0
        self._meter.say(f"going on after {format_size(done)} of {format_size(total)}", done, total)

    async def _run(self) -> Verified:
        try:
            signature = await self._fetch_signature()
            await self._receive()
            return await self._judge(signature)
        except QuarterdeckError as error:
            self._arrival.fail(error)
            if not self._worth_keeping(error):
                self.discard()
            raise
        except OSError as error:
            failure = write_error(self._path, error)
            self._arrival.fail(failure)
            raise failure from error

    @staticmethod
    def _worth_keeping(error: QuarterdeckError) -> bool:
        return error.key not in ("download-changed", "checksum-wrong", "signature-wrong", "download-is-page", "download-too-large")

    async def _fetch_signature(self) -> bytes:
        """Before the file, so that a missing signature does not cost a download."""
        if self._wanted.signature is None:
            return b""
        return (await self._http.read(self._wanted.signature.url, limit=_SIGNATURE_LIMIT, plain=True)).body

    async def _receive(self) -> None:
        if self._transfer.size is not None:
            check_room(self._path.parent, self._transfer.size - self._transfer.done.count + self._result)
        self._grow()
        try:
            async with asyncio.TaskGroup() as group:
                following = group.create_task(self._digest.follow(self._executor))
                keeping = group.create_task(self._keep_journal())
                await self._transfer.run()
                self.source.size = self._transfer.size
                self._arrival.complete()
                self._digest.end()
                await following
                keeping.cancel()
        except BaseExceptionGroup as problems:
            raise first_error(problems) from None
        finally:
            self._save_journal(sync=False)

    async def _judge(self, signature: bytes) -> Verified:
        verified = await self._prove(signature)
        self._arrival.verify()
        self._meter.end(verified.size, "verified" if verified.proof is not Proof.NOTHING else "not verified")
        return verified

    async def _prove(self, signature: bytes) -> Verified:
        size, sha256 = self._transfer.size or 0, self._digest.value("sha256")
        proof, detail = Proof.NOTHING, ""
        if (checksum := self._wanted.checksum) is not None:
            value = self._digest.value(checksum.algorithm)
            if value != checksum.value:
                raise checksum_wrong(self.source.name, f"{checksum.algorithm}:{value}", str(checksum))
            proof, detail = Proof.CHECKSUM, str(checksum)
        if (detached := self._wanted.signature) is not None:
            self._meter.say("checking the signature", size, size)
            await check_signature(self._path, signature, key=detached.key, material=detached.material)
            proof, detail = Proof.SIGNATURE, detached.key
        return Verified(size, sha256, proof, detail)

    def _learn_size(self, total: int | None) -> None:
        """Make sure that it fits; without a known size, that there is still room for a little more."""
        if total is None:
            check_room(self._path.parent, 0)
            return
        check_room(self._path.parent, total + self._result)
        self._part.resize(total)
        self.source.size = total

    def _grow(self) -> None:
        done = self._transfer.done
        self._digest.advance(done.prefix)
        self._arrival.advance(done.prefix)
        self._meter.update(done.count, self._transfer.size)

    async def _keep_journal(self) -> None:
        rounds, loop = 0, asyncio.get_running_loop()
        while True:
            await asyncio.sleep(_JOURNAL_SECONDS)
            rounds += 1
            if rounds % _SYNC_EVERY == 0:
                written = Ranges(self._transfer.done.as_list())
                await loop.run_in_executor(self._executor, self._part.sync)
                self._durable = written
                await loop.run_in_executor(self._executor, lambda: self._save_journal(sync=True))
            else:
                self._save_journal(sync=False)

    def _save_journal(self, *, sync: bool) -> None:
        identity: Identity | None = self._transfer.identity
        if identity is not None and not self._gone:
            written, durable = tuple(self._transfer.done.as_list()), tuple(self._durable.as_list())
            Journal(identity, written, durable).save(self._journal_path, sync=sync)


def checksum_wrong(name: str, found: str, expected: str) -> MediaError:
    """Return the error of a file that is not the one that its checksum names."""
    return MediaError(
        "checksum-wrong",
        f"{name} is not the file that was wanted",
        reason=f"its checksum is {found}, it should be {expected}",
        hint="the mirror may be damaged or just being updated: try again later, or another one; do not use the file",
    )


@contextlib.asynccontextmanager
async def open_download(
    wanted: Wanted, *, folder: Path, http: Http, report: Reporter = silent, connections: int = 4, result: int = 0
) -> AsyncIterator[Download]:
    """Give a download that runs in the background, over up to ``connections`` connections.

    It grows in ``folder``; whatever ends the ``with`` block, the next run for the same file goes on from there, unless
    :meth:`Download.take` or :meth:`Download.discard` was called. Two runs for the same file wait for each other.
    ``result`` is the space in bytes that must be left for what will be made of it.

    Raises:
        UsageError: a URL is none.
        HostError: ``folder`` cannot be written.
    """
    path = folder / f"{part_key(wanted)}.part"
    try:
        await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
        handle = try_lock(path.with_suffix(".lock"))
        if handle is None:
            report(Message(Level.INFO, "waiting for another qd that downloads the same file"))
        while handle is None:
            await asyncio.sleep(_POLL_SECONDS)
            handle = try_lock(path.with_suffix(".lock"))
    except OSError as error:
        raise write_error(path, error) from error
    try:
        download = Download(wanted, http, path=path, report=report, connections=connections, result=result)
        try:
            yield download
        finally:
            await download.close()
    finally:
        os.close(handle)


def part_key(wanted: Wanted) -> str:
    """Return the name of the file that ``wanted`` grows in: the same for the same content, wherever it comes from."""
    subject = str(wanted.checksum) if wanted.checksum is not None else wanted.urls[0]
    return hashlib.sha256(subject.encode()).hexdigest()[:32]
