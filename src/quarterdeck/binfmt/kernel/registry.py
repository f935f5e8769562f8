"""The kernel's registry of interpreters, read and changed.

Newer entries are asked first. An entry with flag F keeps its interpreter open, so the file may be deleted or replaced
while the entry goes on with the one it has. Source: Documentation/admin-guide/binfmt-misc.rst of Linux.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from quarterdeck.binfmt.kernel import refusal
from quarterdeck.binfmt.kernel.registration import Registration, check_name
from quarterdeck.errors import DeadlineError
from quarterdeck.host.binfmt_misc import FOLDER, Entry, read_entries

_POLL = 0.05


class Registry:
    """binfmt_misc as it is mounted on ``folder``.

    Every change raises HostError when the kernel refuses it, and UsageError when a name or path cannot be written at all.
    """

    def __init__(self, folder: Path = FOLDER) -> None:
        self.folder = folder

    def entries(self) -> list[Entry]:
        """Return what is registered, by name."""
        return read_entries(self.folder)

    def find(self, name: str) -> Entry | None:
        """Return the entry called ``name``, or None."""
        return next((entry for entry in self.entries() if entry.name == name), None)

    def register(self, registration: Registration) -> bool:
        """Add an entry; return False when the very same one was there, as when somebody else was faster."""
        line = registration.line()
        try:
            self._write("register", line)
        except OSError as error:
            if error.errno != errno.EEXIST:
                raise refusal.register_refused(registration, error) from None
            found = self.find(registration.name)
            if found is None or not found.enabled or not registration.matches(found):
                raise refusal.exists(registration) from None
            return False
        return True

    def remove(self, name: str) -> bool:
        """Remove an entry; return False when there was none, as when somebody else was faster."""
        return self._command(name, b"-1", f"the kernel did not remove {name}")

    def disable(self, name: str) -> bool:
        """Keep an entry from running programs; return False when there is none."""
        return self._command(name, b"0", f"the kernel did not switch {name} off")

    def switch_on(self) -> None:
        """Let the kernel look at the entries at all."""
        try:
            self._write("status", b"1")
        except OSError as error:
            raise refusal.change_refused("the kernel did not switch binfmt_misc on", error) from None

    @contextmanager
    def locked(self, *, timeout: float = 60) -> Iterator[None]:
        """Keep others from changing this registry inside the ``with`` block; waits ``timeout`` seconds for them.

        The lock is on the kernel's own file, so that it also works between containers that share nothing else, and only those
        who may change the registry can hold it.

        Raises:
            HostError: we may not change it.
            DeadlineError: somebody else holds it all the time.
        """
        try:
            handle = os.open(self.folder / "register", os.O_WRONLY | os.O_CLOEXEC)
        except OSError as error:
            raise refusal.change_refused("binfmt_misc cannot be changed", error) from None
        try:
            _wait_for_lock(handle, time.monotonic() + timeout)
            yield
        finally:
            os.close(handle)

    def _command(self, name: str, word: bytes, what: str) -> bool:
        check_name(name)
        try:
            self._write(name, word)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise refusal.change_refused(what, error) from None
        return True

    def _write(self, name: str, content: bytes) -> None:
        """Write ``content`` to one of the kernel's files in one piece, as it demands. O_CREAT is never right here."""
        handle = os.open(self.folder / name, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            os.write(handle, content)
        finally:
            os.close(handle)


def _wait_for_lock(handle: int, end: float) -> None:
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= end:
                what = "another program is changing binfmt_misc and does not come to an end"
                raise DeadlineError("binfmt-busy", what, hint="see who: fuser -v /proc/sys/fs/binfmt_misc/register") from None
            time.sleep(_POLL)
        else:
            return
