"""Shows what would be changed in a Dockerfile, or changes it."""

from __future__ import annotations

import difflib
import stat
import sys

from quarterdeck.build.dockerfile.model import Dockerfile
from quarterdeck.cli.build.source import Source
from quarterdeck.cli.output import say
from quarterdeck.core import fs
from quarterdeck.errors import UsageError

_NOTHING = "there is nothing to change that is known to be safe"


def show_change(source: Source, better: Dockerfile) -> None:
    """Print the change as a unified diff that ``patch -p1`` and ``git apply`` take."""
    diff = _diff(source.dockerfile, better)
    if not diff:
        say(_NOTHING)
    sys.stdout.flush()
    sys.stdout.buffer.write(diff)
    sys.stdout.flush()


def write_change(source: Source, better: Dockerfile) -> None:
    """Change the file, atomically; its mode stays, and a link stays a link.

    Raises:
        UsageError: the Dockerfile came from standard input.
        OSError: the file cannot be written.
    """
    if source.path is None:
        raise UsageError("nothing-to-write-to", "a Dockerfile from standard input cannot be changed", hint="--patch prints the changes")
    if better.text == source.dockerfile.text:
        say(f"{source.dockerfile.name}: {_NOTHING}")
        return
    path = source.path.resolve()
    fs.write_atomic(path, _bytes(better), mode=stat.S_IMODE(path.stat().st_mode))
    say(f"{source.dockerfile.name} is changed; see: git diff {source.dockerfile.name}")


def _diff(before: Dockerfile, after: Dockerfile) -> bytes:
    path = before.name.lstrip("/").encode()
    found = difflib.diff_bytes(difflib.unified_diff, _lines(before), _lines(after), b"a/" + path, b"b/" + path)
    return b"".join(line if line.endswith(b"\n") else line + b"\n\\ No newline at end of file\n" for line in found)


def _lines(dockerfile: Dockerfile) -> list[bytes]:
    """Return the lines, split at line feeds only: carriage returns belong to them."""
    *lines, last = _bytes(dockerfile).split(b"\n")
    return [line + b"\n" for line in lines] + ([last] if last else [])


def _bytes(dockerfile: Dockerfile) -> bytes:
    return dockerfile.text.encode("utf-8", "surrogateescape")
