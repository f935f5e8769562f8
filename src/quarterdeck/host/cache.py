"""Answers that cost a started program, kept until what they were asked of changes.

Each entry is a small JSON file. Whatever is wrong with one (unreadable, not JSON, of another user, of another
question) only means that it is asked again; a cache that cannot be written only costs time.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
from pathlib import Path
from typing import Any

from quarterdeck.core import fs, paths

_LARGEST = 1 << 20


def recall(kind: str, question: str) -> dict[str, Any] | None:
    """Return the kept answer to ``question``, or None."""
    content = _read(_file(kind, question))
    if content is None:
        return None
    try:
        entry = json.loads(content)
    except (ValueError, RecursionError):
        return None
    if not isinstance(entry, dict) or entry.get("question") != question:
        return None
    answer = entry.get("answer")
    return answer if isinstance(answer, dict) else None


def remember(kind: str, question: str, answer: dict[str, Any]) -> None:
    """Keep ``answer`` (JSON values) for the next :func:`recall` of the same question."""
    file = _file(kind, question)
    with contextlib.suppress(OSError):
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fs.write_json(file, {"question": question, "answer": answer})


def _file(kind: str, question: str) -> Path:
    digest = hashlib.sha256(question.encode(errors="surrogateescape")).hexdigest()[:16]
    return paths.cache() / f"{kind}-{digest}.json"


def _read(file: Path) -> bytes | None:
    """Return the file's bytes when it is an ordinary file of ours; somebody else's answer is not trusted."""
    try:
        handle = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid() or status.st_size > _LARGEST:
            return None
        with open(handle, "rb", closefd=False) as opened:
            return opened.read()
    except OSError:
        return None
    finally:
        os.close(handle)
