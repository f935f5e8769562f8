"""What all engines do alike: a private folder for one build, the engine's program run and read, its failure explained."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quarterdeck.build.engines.causes import find_cause
from quarterdeck.build.engines.engine import Endpoint
from quarterdeck.build.engines.events import BuildReporter
from quarterdeck.build.engines.failure import BuildFailedError, BuildHangsError, Evidence
from quarterdeck.build.engines.record import Parser, Record
from quarterdeck.build.engines.request import BuildRequest
from quarterdeck.build.engines.running import Program, SilentError, run_lines
from quarterdeck.build.engines.text import plain
from quarterdeck.build.nodes.model import EngineName
from quarterdeck.core import process
from quarterdeck.core.process import Completed
from quarterdeck.errors import UsageError

_LARGEST_JSON = 4 << 20
_TAIL_LINES = 20
_ASK_SECONDS = 60.0


@dataclass(frozen=True)
class Session:
    """One build by one engine. ``folder`` is private and goes when the build ends."""

    name: EngineName
    version: str
    endpoint: Endpoint
    request: BuildRequest
    report: BuildReporter
    folder: Path
    environment: Mapping[str, str]
    own_emulators: bool = False

    @property
    def id_file(self) -> Path:
        """Where the engine writes the image's id."""
        return self.folder / "iid"

    def dockerfile(self) -> list[str]:
        """Return the flag that names the Dockerfile, written to the private folder if it is a text."""
        if self.request.dockerfile_text is not None:
            path = self.folder / "Dockerfile"
            path.write_text(self.request.dockerfile_text, encoding="utf-8", errors="surrogateescape", newline="")
            return [f"--file={path}"]
        return [f"--file={self.request.dockerfile}"] if self.request.dockerfile is not None else []

    async def run(self, argv: list[str], parser: Parser) -> Record:
        """Run the engine's build command to its end.

        Raises:
            BuildFailedError: it failed.
            BuildHangsError: it said nothing for too long.
        """
        record = Record(parser, self.report)
        arch = self.request.platform.arch
        program = Program(
            environment=self.environment,
            step_timeout=self.request.step_timeout,
            own_emulators=self.own_emulators,
            emulated=arch.user if arch is not None else "",
        )
        try:
            status = await run_lines([*self.endpoint.wrap, *argv], program, on_line=record.feed)
        except SilentError as silence:
            step = record.interrupted
            record.cancel()
            raise BuildHangsError(self.request.platform, step, silence.hang) from None
        except asyncio.CancelledError:
            record.cancel()
            raise
        record.close(succeeded=status == 0)
        if status:
            raise self._failure(record, process.describe_status(status))
        return record

    async def ask(self, argv: list[str], *, check: bool = True, timeout: float | None = _ASK_SECONDS) -> Completed:
        """Run a short command of the engine and return its output.

        Raises:
            ProcessError: it failed and ``check`` is true.
        """
        return await process.run_async([*self.endpoint.wrap, *argv], env=self.environment, check=check, timeout=timeout)

    def image_id(self) -> str:
        """Return the image's id as the engine wrote it: ``sha256:...``, empty when it wrote none."""
        try:
            text = self.id_file.read_text(encoding="ascii", errors="replace").strip()
        except FileNotFoundError:
            return ""
        return text if not text or text.startswith("sha256:") else f"sha256:{text}"

    def _failure(self, record: Record, ended: str) -> BuildFailedError:
        step = record.failed.step if record.failed is not None else record.current
        said = [text for line in record.said if (text := plain(line))]
        error = (record.failed.detail if record.failed is not None else "") or (said[-1] if said else f"the engine {ended}")
        tail = record.tail(step) or tuple(said)
        lines = tuple(dict.fromkeys((*tail, *said)))
        evidence = Evidence(
            engine=self.name,
            version=self.version,
            platform=self.request.platform,
            emulated=self.request.emulated,
            step=step,
            error=error,
            lines=lines,
        )
        return BuildFailedError(evidence, tail[-_TAIL_LINES:], find_cause(evidence))


@contextlib.contextmanager
def private_folder() -> Iterator[Path]:
    """Have a folder that only this user can read, for as long as the block."""
    with tempfile.TemporaryDirectory(prefix="qd-build-") as folder:
        yield Path(folder)


def merged(endpoint: Endpoint, environment: Mapping[str, str] | None, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the variables of a build: those of the endpoint, those of this call, and those that an engine must have."""
    return {**endpoint.environment, **(environment or {}), **(more or {})}


def check_destination(request: BuildRequest) -> None:
    """Refuse a destination that an engine would read as something else.

    Raises:
        UsageError: its path has a colon or comma, or its folder does not exist.
    """
    if any(sign in os.fspath(request.destination) for sign in ":,"):
        raise UsageError("bad-destination", f"engines cannot write to {request.destination}", reason="its path has a colon or a comma")
    if not request.destination.parent.is_dir():
        raise UsageError("no-folder", f"there is no folder {request.destination.parent}")


def archive_digest(archive: Path) -> str:
    """Return the digest of what the index of an OCI archive names first, empty when there is none."""
    with tarfile.open(archive) as tar:
        try:
            member = tar.extractfile("index.json")
        except KeyError:
            return ""
        document = parse_object(member.read(_LARGEST_JSON) if member is not None else b"")
    manifests = document.get("manifests")
    first = manifests[0] if isinstance(manifests, list) and manifests else None
    digest = first.get("digest") if isinstance(first, dict) else None
    return digest if isinstance(digest, str) else ""


def parse_object(data: bytes) -> dict[str, Any]:
    """Return a JSON object, empty when it is none."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}
