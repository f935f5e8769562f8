"""Which files of a build context are left out: ``.dockerignore`` and ``NAME.dockerignore``.

Source: ".dockerignore file" in the Docker build documentation; patternmatcher and its ignorefile package (github.com/moby/patternmatcher
0.6.1); initContext in frontend/dockerui of BuildKit 0.34 for the order of the files.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from quarterdeck.build.dockerfile.errors import DockerfileError, SyntaxFault, located
from quarterdeck.build.dockerfile.ignore_pattern import Pattern, clean, make_pattern
from quarterdeck.build.dockerfile.spaces import trim
from quarterdeck.errors import UsageError

# Larger ones are no list that anyone wrote; BuildKit 0.34 loads as much.
MAX_SIZE = 16 * 1024 * 1024


@dataclass(frozen=True)
class Ignore:
    """The patterns of a file in their order; ``name`` is the file's, empty where there is none."""

    patterns: tuple[Pattern, ...] = ()
    name: str = ""

    def matches(self, path: str) -> bool:
        """Whether a path is left out; the last pattern that matches it or a folder above it decides.

        Args:
            path: relative to the context, with slashes; the context itself is never left out.
        """
        path = clean(path).lstrip("/")
        if path == ".":
            return False
        ignored = False
        for pattern in self.patterns:
            if pattern.exception == ignored and any(pattern.matches(part) for part in _with_folders(path)):
                ignored = not pattern.exception
        return ignored

    @property
    def has_exceptions(self) -> bool:
        """Whether a pattern brings files back, so that ignored folders must be looked into."""
        return any(pattern.exception for pattern in self.patterns)


def _with_folders(path: str) -> Iterable[str]:
    yield path
    parts = path.split("/")
    for count in range(1, len(parts)):
        yield "/".join(parts[:count])


def parse_ignore(text: str | bytes, *, name: str = ".dockerignore") -> Ignore:
    """Return the patterns of a file's text.

    Raises:
        DockerfileError: one is none; with the line.
    """
    whole = os.fsdecode(text) if isinstance(text, bytes) else text
    patterns: list[Pattern] = []
    for number, line in enumerate(whole.removeprefix("\ufeff").split("\n"), 1):
        with located(name, number):
            pattern = _pattern(line)
        if pattern is not None:
            patterns.append(pattern)
    return Ignore(tuple(patterns), name)


def _pattern(line: str) -> Pattern | None:
    """Return the pattern of a line, None for comments, which have no white space before ``#``, and empty lines."""
    text = trim(line)
    if line.startswith("#") or not text:
        return None
    sign, text = ("!", trim(text[1:])) if text.startswith("!") else ("", text)
    path = clean(text) if text else ""
    # The sign is looked for a second time, after a leading slash is gone: "/!a" is an exception too.
    whole = clean(trim(sign + (path[1:] if len(path) > 1 and path[0] == "/" else path)))
    if whole == "!":
        raise SyntaxFault("'!' has no pattern", hint="write !path to keep a path that an earlier line leaves out")
    return make_pattern(whole.removeprefix("!"), exception=whole.startswith("!"))


def read_ignore(context: Path, dockerfile: Path | None = None) -> Ignore:
    """Return what is left out of a context: ``NAME.dockerignore`` beside the Dockerfile, else ``.dockerignore`` of the context.

    Raises:
        UsageError: the file is there and cannot be read, or is wrong.
    """
    candidates = [dockerfile.with_name(f"{dockerfile.name}.dockerignore")] if dockerfile else []
    for path in (*candidates, context / ".dockerignore"):
        try:
            with path.open("rb") as file:
                content = file.read(MAX_SIZE + 1)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            raise UsageError("unreadable-dockerignore", f"{path} cannot be read", reason=error.strerror or str(error)) from error
        if len(content) > MAX_SIZE:
            raise DockerfileError(f"the file is bigger than {MAX_SIZE // 1024**2} MiB", name=str(path), line=1)
        return parse_ignore(content, name=str(path))
    return Ignore()
