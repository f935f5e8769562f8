"""The places that an image can go to, and the words that name them.

Forms: ``--output`` of ``docker buildx build``: ``type=oci,dest=FILE``, ``type=docker``, ``type=image,push=true``, a path...
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from quarterdeck.errors import UsageError

_FLAGS = {"true": True, "1": True, "false": False, "0": False}
_KNOWN = frozenset({"type", "dest", "push", "tar", "name"})


class Kind(StrEnum):
    """What kind of place it is."""

    REGISTRY = "registry"
    ENGINE = "engine"
    OCI_ARCHIVE = "oci-archive"
    OCI_FOLDER = "oci-folder"
    DOCKER_ARCHIVE = "docker-archive"


@dataclass(frozen=True)
class Destination:
    """One place; ``path`` is that of a file or folder, ``names`` what the image is called there instead of by ``--tag``."""

    kind: Kind
    path: Path | None = None
    names: tuple[str, ...] = ()


def parse_output(text: str) -> Destination:
    """Return what one ``--output`` means.

    Raises:
        UsageError: it is no output, or one that we do not make.
    """
    if "=" not in text:
        return Destination(Kind.OCI_ARCHIVE, _path(text, text))
    fields = _fields(text)
    names = (fields["name"],) if fields.get("name") else ()
    match fields.get("type"):
        case "registry":
            return Destination(Kind.REGISTRY, names=names)
        case "image" if _flag(fields.get("push", "false"), text):
            return Destination(Kind.REGISTRY, names=names)
        case "image":
            return Destination(Kind.ENGINE, names=names)
        case "docker" if "dest" in fields:
            return Destination(Kind.DOCKER_ARCHIVE, _path(fields["dest"], text), names)
        case "docker":
            return Destination(Kind.ENGINE, names=names)
        case "oci":
            kind = Kind.OCI_ARCHIVE if _flag(fields.get("tar", "true"), text) else Kind.OCI_FOLDER
            return Destination(kind, _path(fields.get("dest", ""), text), names)
    if fields.get("type") in ("local", "tar"):
        hint = "write the image with type=oci,dest=FILE; files of a build alone are for the engine itself: docker build --output"
        raise UsageError("unknown-output", f"--output {text}: an image for platforms is made here, not a folder of its files", hint=hint)
    hint = "outputs are type=oci,dest=FILE[,tar=false], type=docker[,dest=FILE], type=registry, type=image,push=true, or a file's path"
    raise UsageError("unknown-output", f"--output {text} is no output that can be made", hint=hint)


def check_outputs(destinations: Sequence[Destination], names: Sequence[str], *, several: bool) -> None:
    """See that every place can take what is made.

    Raises:
        UsageError: a name is missing, or a place takes one platform only.
    """
    for one in destinations:
        if one.kind is Kind.REGISTRY and not (names or one.names):
            raise UsageError("no-name", "an image that is pushed needs a name", hint="give it one: --tag REGISTRY/NAME:TAG")
        if one.kind is Kind.DOCKER_ARCHIVE and several:
            hint = "write type=oci,dest=FILE, or build one platform"
            raise UsageError("one-platform-only", "an archive of Docker holds the image of one platform", hint=hint)


def _fields(text: str) -> dict[str, str]:
    fields = dict(part.partition("=")[::2] for part in text.split(","))
    unknown = sorted(set(fields) - _KNOWN)
    if unknown:
        raise UsageError("unknown-output", f"--output {text}: '{unknown[0]}' is not known", hint=f"known are {', '.join(sorted(_KNOWN))}")
    return fields


def _flag(value: str, text: str) -> bool:
    if value not in _FLAGS:
        raise UsageError("unknown-output", f"--output {text}: '{value}' is neither true nor false")
    return _FLAGS[value]


def _path(value: str, text: str) -> Path:
    if not value or value == "-":
        raise UsageError("no-destination", f"--output {text} names no file", hint="name one: dest=FILE")
    return Path(value)
