"""What can be known to go wrong before anything is built: names that are none, files that are not there or cannot be written."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from quarterdeck.build.oci.reference import Reference
from quarterdeck.build.output.destination import Destination, Kind
from quarterdeck.errors import UsageError

# Of docker, and of buildah (buildah-build(1), --build-context).
_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|git@|github\.com/", re.IGNORECASE)


def split_extra(context: str, extra: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """Return the context and the engine's arguments; with nothing before ``--`` the first of these is taken for the context.

    Raises:
        UsageError: a second context is given.
    """
    if context.startswith("-") and context != "-":
        return ".", (context, *extra)
    if extra and not extra[0].startswith("-"):
        hint = "arguments for the engine are options, and follow '--'"
        raise UsageError("two-contexts", f"a build has one context, not '{context}' and '{extra[0]}'", hint=hint)
    return context, tuple(extra)


def check_names(names: Sequence[str]) -> None:
    """See that each ``--tag`` is a name that an image can be given.

    Raises:
        UsageError: it is none, or has a digest, which nobody can choose.
    """
    for name in names:
        if Reference.parse(name).digest:
            raise UsageError("name-with-digest", f"--tag {name}: an image cannot be given a digest", hint="write NAME:TAG")


def check_written(places: Sequence[Destination], *files: Path | None) -> None:
    """See that all that is written at the end can be.

    Raises:
        UsageError: two things go to one path, a folder is missing or may not be written, or what is there is a folder and no file or the
            other way round.
    """
    wanted = [(place.path, place.kind is Kind.OCI_FOLDER) for place in places] + [(file, False) for file in files]
    seen: set[Path] = set()
    for path, folder in wanted:
        if path is None:
            continue
        _check_written(path, folder=folder)
        if path.absolute() in seen:
            raise UsageError("written-twice", f"two things are to be written to {path}", hint="give each a name of its own")
        seen.add(path.absolute())


def _check_written(path: Path, *, folder: bool) -> None:
    parent = path.absolute().parent
    if path.exists() and path.is_dir() is not folder:
        kind, wanted = ("a file", "a folder") if folder else ("a folder", "a file")
        raise UsageError("cannot-be-written", f"{path} is {kind}", hint=f"name {wanted} that is to be written")
    if not parent.is_dir():
        raise UsageError("cannot-be-written", f"{path} cannot be written", reason=f"there is no folder {parent}", hint="make it first")
    if not os.access(parent, os.W_OK):
        raise UsageError("cannot-be-written", f"{path} cannot be written", reason=f"{parent} may not be written by you")


def check_read(secrets: Sequence[str], contexts: Mapping[str, str]) -> None:
    """See that secrets and named contexts are there.

    Raises:
        UsageError: one is not.
    """
    check_secrets(secrets)
    check_contexts(contexts)


def check_secrets(words: Sequence[str], environment: Mapping[str, str] = os.environ) -> None:
    """See that each secret is there. Fields: ``--secret`` of ``docker buildx build``.

    Raises:
        UsageError: its file or variable is missing; some engines would take that for an empty secret.
    """
    for word in words:
        fields = {name.strip().lower(): value for name, _, value in (part.partition("=") for part in word.split(","))}
        source = fields.get("src") or fields.get("source") or ""
        variable = fields.get("env") or (source if fields.get("type") == "env" else "")
        if variable and variable not in environment:
            raise UsageError("secret-missing", f"--secret {word}: there is no variable {variable}", hint="set and export it")
        if source and not variable and not Path(source).expanduser().exists():
            raise UsageError("secret-missing", f"--secret {word}: there is no file {source}", hint="it is looked for from this folder")


def check_contexts(contexts: Mapping[str, str]) -> None:
    """See that each named context that is a folder is there.

    Raises:
        UsageError: it is not.
    """
    for name, value in contexts.items():
        if not Path(value).is_dir() and not _ELSEWHERE.match(value):
            hint = "name a folder, or an image by docker-image://REFERENCE"
            raise UsageError("no-context", f"--build-context {name}={value}: there is no folder {value}", hint=hint)
