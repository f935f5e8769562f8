"""Finds the Dockerfile that a command means, and reads it."""

from __future__ import annotations

import os
import re
import stat
import sys
from dataclasses import dataclass
from pathlib import Path

from quarterdeck.build.dockerfile.model import Dockerfile
from quarterdeck.build.dockerfile.parser import MAX_SIZE, parse
from quarterdeck.errors import UsageError

_REMOTE = re.compile(r"(?:https?|git|ssh|docker-image|oci-layout)://|git@|github\.com/", re.IGNORECASE)
# BuildKit takes the second too, podman the third.
_NAMES = ("Dockerfile", "dockerfile", "Containerfile")
_STDIN = "-"
# Packed by gzip, bzip2, xz, zstd; a tar archive by its mark (POSIX.1-1988, ustar).
_PACKED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd")
_TAR_AT, _HEAD = 257, 262


@dataclass(frozen=True)
class Source:
    """A parsed Dockerfile; ``path`` is None when it came from standard input or a pipe, which cannot be read twice."""

    dockerfile: Dockerfile
    path: Path | None


def read_source(context: str, file: str | None) -> Source:
    """Return the Dockerfile that ``CONTEXT`` and ``-f FILE`` mean.

    Like Docker: ``-`` is standard input, and FILE is looked for from the working folder; like Podman: else from the context, and
    Containerfile is a name too.

    Raises:
        UsageError: there is none, it cannot be read, or it would have to be fetched.
        DockerfileError: it makes no sense.
    """
    if _REMOTE.match(context) or (file and _REMOTE.match(file)):
        raise UsageError(
            "remote-context",
            "the Dockerfile is not on this host",
            reason=f"{file if file and _REMOTE.match(file) else context} would have to be fetched first",
            hint="clone or download it and name the folder, or pipe the Dockerfile in: curl URL | qd build -",
        )
    if _STDIN in (file, context if file is None else ""):
        text = sys.stdin.buffer.read(MAX_SIZE + 1)
        _refuse_archive(text, "standard input")
        return Source(parse(text, name="Dockerfile"), None)
    path = _find(Path(context), file)
    return Source(parse(_read(path), name=_shown(path)), path if path.is_file() else None)


def _find(context: Path, file: str | None) -> Path:
    if file is not None:
        return next((path for path in (Path(file), context / file) if path.exists()), Path(file))
    if context.exists() and not context.is_dir():
        with context.open("rb") as opened:
            _refuse_archive(opened.read(_HEAD), str(context))
        raise UsageError(
            "context-is-a-file", f"{context} is a file", hint=f"name its folder, and the file with -f: -f {context} {context.parent}"
        )
    if not context.exists():
        raise UsageError("no-context", f"there is no folder {context}", hint="name the folder with the files of the build, such as '.'")
    found = next((context / name for name in _NAMES if (context / name).exists()), None)
    if found is None:
        raise UsageError("no-dockerfile", f"{context} has neither a Dockerfile nor a Containerfile", hint="name the file with -f")
    return found


def _refuse_archive(content: bytes, what: str) -> None:
    """Refuse a whole context in an archive, which Docker would take."""
    if content.startswith(_PACKED) or content[_TAR_AT:_HEAD] == b"ustar":
        hint = "unpack it and name the folder: mkdir context && tar -x -C context -f ARCHIVE && qd build context"
        raise UsageError("context-is-an-archive", f"{what} is an archive", reason="contexts are folders", hint=hint)


def _read(path: Path) -> bytes:
    """Return the content, of which more than the parser takes is not read; devices and pipes are read too, as in ``-f <(...)``."""
    try:
        with path.open("rb") as file:
            if stat.S_ISDIR(os.fstat(file.fileno()).st_mode):
                raise IsADirectoryError
            return file.read(MAX_SIZE + 1)
    except FileNotFoundError:
        raise UsageError(
            "no-dockerfile", f"there is no file {path}", hint="name the file with -f; it is looked for here and in the context"
        ) from None
    except IsADirectoryError:
        raise UsageError("no-dockerfile", f"{path} is a folder", hint=f"name the file in it: -f {path / 'Dockerfile'}") from None
    except OSError as error:
        raise UsageError("dockerfile-unreadable", f"{path} cannot be read", reason=error.strerror or str(error)) from None


def _shown(path: Path) -> str:
    """Return the path from the working folder where it is below it, so that editors find it."""
    try:
        return str(path.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
