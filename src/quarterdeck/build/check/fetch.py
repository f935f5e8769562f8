"""Gets an image that is to be checked onto the disk, from wherever it is, with not a byte changed where that can be."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from quarterdeck.build.oci.errors import BadImageError
from quarterdeck.build.oci.media_types import INDEXES
from quarterdeck.build.oci.read import media_type_of, read_config, read_index
from quarterdeck.build.oci.reference import Reference
from quarterdeck.build.oci.transfer import DEFAULT_ACCESS, Access, inspect_argv, pull
from quarterdeck.build.platform import Platform
from quarterdeck.core.process import ProcessError, run, run_async
from quarterdeck.core.report import Reporter, silent
from quarterdeck.errors import DeadlineError, HostError, TargetError, UsageError

_INSPECT_SECONDS = 60.0
# Nobody has images of such names in a registry, and a word that is missing a folder is soon written.
_ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.zst")
_IDENTIFIER = re.compile(r"(sha256:)?[0-9a-f]{6,64}", re.ASCII)


class Transport(StrEnum):
    """Where an image is."""

    FILES = "files"
    DOCKER = "docker"
    PODMAN = "podman"
    REGISTRY = "registry"


_PREFIXES = {
    "docker://": Transport.REGISTRY,
    "docker-daemon:": Transport.DOCKER,
    "docker-archive:": Transport.FILES,
    "docker:": Transport.DOCKER,
    "oci-archive:": Transport.FILES,
    "oci:": Transport.FILES,
    "dir:": Transport.FILES,
    "containers-storage:": Transport.PODMAN,
    "podman:": Transport.PODMAN,
}


@dataclass(frozen=True)
class Place:
    """Where an image is and what it is called there: a name or, of files, a path; ``inner`` names one of several in an archive."""

    transport: Transport
    name: str
    inner: str | None = None

    @classmethod
    def parse(cls, text: str) -> Place:
        """Return the place that ``text`` means: a transport and a name, the path of a file or folder, or a name in a registry.

        Raises:
            UsageError: it is none of these.
        """
        for prefix, transport in _PREFIXES.items():
            if text.startswith(prefix):
                rest = text.removeprefix(prefix)
                return cls._of_files(rest) if transport is Transport.FILES else cls(transport, _checked(rest, transport))
        if _exists(text):
            return cls(Transport.FILES, text)
        if text.startswith((".", "/", "~")) or text.endswith(_ARCHIVES):
            raise UsageError("image-not-found", f"there is no file or folder '{text}'")
        return cls(Transport.REGISTRY, _checked(text, Transport.REGISTRY))

    @classmethod
    def _of_files(cls, rest: str) -> Place:
        path, colon, inner = rest.partition(":")
        if not rest or (not _exists(rest) and not _exists(path)):
            raise UsageError("image-not-found", f"there is no file or folder '{path}'")
        return cls(Transport.FILES, rest) if _exists(rest) or not colon else cls(Transport.FILES, path, inner or None)


@dataclass(frozen=True)
class Fetched:
    """What :func:`open_image` opens, and the name of the image in it, None for all that are in it."""

    path: Path
    name: str | None = None


async def fetch(place: Place, work: Path, *, access: Access = DEFAULT_ACCESS, report: Reporter = silent) -> Fetched:
    """Get the image into ``work``, an empty folder; files stay where they are.

    Raises:
        HostError: skopeo, docker or podman is not installed.
        TargetError: the registry or engine does not have it.
    """
    match place.transport:
        case Transport.FILES:
            return Fetched(Path(place.name), place.inner)
        case Transport.REGISTRY:
            await _from_registry(Reference.parse(place.name), work / "image", access, report)
        case Transport.DOCKER:
            await _engine(["docker", "save", "--output", str(work / "image"), place.name], place, access)
        case Transport.PODMAN:
            await _of_podman(place, work / "image", access)
    return Fetched(work / "image")


async def _from_registry(reference: Reference, target: Path, access: Access, report: Reporter) -> None:
    try:
        await pull(reference, target, access=access, report=report)
    except TargetError as error:
        here = f"an image of an engine here is named docker:{reference.familiar} or podman:{reference.familiar}"
        raise TargetError(error.key, error.message, reason=error.reason, hint="; ".join(filter(None, (error.hint, here)))) from None


async def _of_podman(place: Place, target: Path, access: Access) -> None:
    """Take a whole manifest list where the name is one, else the image."""
    listed = await run_async(["podman", "manifest", "exists", place.name], check=False, env=access.env)
    if listed.returncode == 0:
        await _engine(["podman", "manifest", "push", "--all", place.name, f"dir:{target}"], place, access)
    else:
        await _engine(["podman", "save", "--quiet", "--format=oci-archive", "--output", str(target), place.name], place, access)


async def _engine(argv: Sequence[str], place: Place, access: Access) -> None:
    try:
        await run_async(argv, env=access.env)
    except ProcessError as error:
        raise TargetError("image-not-found", f"{place.transport} does not give '{place.name}'", reason=error.reason) from None


@dataclass(frozen=True)
class RegistryBases:
    """Asks registries which platforms base images are for, as :data:`check.BaseLookup`; what cannot be told is None."""

    access: Access = DEFAULT_ACCESS

    def __call__(self, name: str, digest: str) -> frozenset[Platform] | None:
        """Return the platforms of the image ``digest`` in the repository of ``name``."""
        try:
            reference = Reference.parse(name).with_digest(digest)
            content = self._ask(reference, "--raw")
            if media_type_of(content) in INDEXES:
                listed = (entry.platform for entry in read_index(content).manifests if entry.attests is None)
                return frozenset(platform.normal for platform in listed if platform is not None and not platform.unknown)
            return frozenset({read_config(self._ask(reference, "--config")).platform.normal})
        except (BadImageError, UsageError, HostError, ProcessError, DeadlineError):
            return None

    def _ask(self, reference: Reference, what: str) -> bytes:
        return run(inspect_argv(reference, what, access=self.access), env=self.access.env, timeout=_INSPECT_SECONDS).stdout


def _checked(name: str, transport: Transport) -> str:
    """Return a name that is one; engines know images by the beginning of their identifiers too, and by names without a registry."""
    if transport is Transport.REGISTRY:
        return str(Reference.parse(name))
    if not _IDENTIFIER.fullmatch(name):
        Reference.parse(name)
    return name


def _exists(text: str) -> bool:
    try:
        return bool(text) and Path(text).exists()
    except (OSError, ValueError):
        return False
