"""Archives that only other programs read well: 7z and rar, by libarchive's bsdtar, which turns them into a tar stream.

The program sees nothing but the archive as its standard input and a pipe, writes no files, has bounded memory, and belongs to nobody
when we are root.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from quarterdeck.core.handle import ProcessHandle
from quarterdeck.core.process import Identity, find, spawn
from quarterdeck.errors import HostError
from quarterdeck.media.formats import open_image
from quarterdeck.media.packing.entry import Entry
from quarterdeck.media.packing.failures import damaged
from quarterdeck.media.packing.tar import read_tar
from quarterdeck.media.packing.window import Window

_NOBODY = Identity(65534, 65534)
_MEMORY = 1 << 30
"""Bytes of address space beyond what the decoder may take."""
_ERROR_BYTES = 4096


class _Output:
    """What the program writes; its end is only believed when the program ended well."""

    def __init__(self, pipe: BinaryIO, process: ProcessHandle, errors: BinaryIO, name: str) -> None:
        self._pipe = pipe
        self._process = process
        self._errors = errors
        self._name = name

    def read(self, size: int) -> bytes:
        """Return up to ``size`` bytes.

        Raises:
            MediaError: the program could not read the archive to its end.
        """
        data = self._pipe.read(size)
        if not data and self.wait() != 0:
            raise damaged(self._name, self._complaint())
        return data

    def wait(self) -> int:
        """Return the exit status, once it ended; closing the pipe ends it."""
        self._process.wait_sync(60)
        return self._process.returncode or 0

    def _complaint(self) -> str:
        self._errors.seek(0)
        lines = self._errors.read(_ERROR_BYTES).decode(errors="replace").splitlines()
        words = [line.removeprefix("bsdtar: ") for line in lines if line.strip() and "Error exit delayed" not in line]
        known = [word for word in words if "(null)" not in word]
        return "; ".join(known[:3]) or "bsdtar cannot read it; perhaps it is encrypted"


def read_foreign(path: Path, name: str, *, memory: int) -> Iterator[Entry]:
    """Return the members of the archive at ``path``; each must be read before the next is asked for.

    Raises:
        HostError: bsdtar is not installed.
        MediaError: the archive is damaged or encrypted.
    """
    program = find("bsdtar")
    if program is None:
        raise HostError(
            "program-missing",
            f"bsdtar is not installed, so {name} cannot be unpacked",
            hint="install it: apt install libarchive-tools (Debian, Ubuntu), bsdtar (Fedora), libarchive (Arch)",
        )
    with contextlib.ExitStack() as stack:
        archive = stack.enter_context(open_image(path))
        errors = stack.enter_context(tempfile.TemporaryFile())
        pipe, process = _start(program, archive, errors, memory)
        output = _Output(pipe, process, errors, name)
        stack.callback(output.wait)
        stack.enter_context(pipe)
        yield from read_tar(Window(output, name))


def _start(program: str, archive: BinaryIO, errors: BinaryIO, memory: int) -> tuple[BinaryIO, ProcessHandle]:
    reading, writing = os.pipe()
    # Error messages go to a file: they get a little room.
    limits = [f"--as={_MEMORY + memory}", f"--fsize={_ERROR_BYTES}", "--core=0"]
    argv = ["prlimit", *limits, "--", program, "-c", "--format=pax", "-f", "-", "@-"]
    try:
        process = spawn(
            argv, log=writing, errors=errors.fileno(), stdin=archive.fileno(), cwd="/", identity=_NOBODY if os.geteuid() == 0 else None
        )
    except BaseException:
        os.close(reading)
        raise
    finally:
        os.close(writing)
    return os.fdopen(reading, "rb"), process
