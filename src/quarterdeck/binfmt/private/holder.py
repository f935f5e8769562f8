"""Mounts and fills a binfmt_misc in the namespace that it was started in, and keeps it until its standard input ends.

Run by :func:`quarterdeck.binfmt.private.instance.open_instance`, never imported by it.
"""

from __future__ import annotations

import base64
import ctypes
import os
from collections.abc import Sequence
from typing import Any

from quarterdeck.binfmt.private import speech
from quarterdeck.host.binfmt_misc import FOLDER


def main() -> None:
    """Tell that we are in the namespace, wait for the ids and the registrations, and hold what was mounted."""
    speech.tell({"waiting": True})
    request = speech.hear()
    if request is None:
        return
    speech.tell(_fill(request["registrations"]))
    speech.hear()


def _fill(registrations: Sequence[dict[str, str]]) -> dict[str, Any]:
    failure = _mount()
    if failure:
        return {"failed": "mount", "errno": failure}
    for number, registration in enumerate(registrations):
        failure = _register(base64.b64decode(registration["line"]))
        if failure:
            return {"failed": "register", "number": number, "errno": failure}
    return {"ready": True}


def _mount() -> int:
    """Return 0 or errno. mount(8) would only tell in words what went wrong; Python has no mount(2)."""
    libc = ctypes.CDLL(None, use_errno=True)
    failed = libc.mount(b"binfmt_misc", os.fsencode(FOLDER), b"binfmt_misc", ctypes.c_ulong(0), None)
    return ctypes.get_errno() if failed else 0


def _register(line: bytes) -> int:
    try:
        file = os.open(FOLDER / "register", os.O_WRONLY | os.O_CLOEXEC)
        try:
            # One registration is one write.
            os.write(file, line)
        finally:
            os.close(file)
    except OSError as error:
        return error.errno or -1
    return 0


if __name__ == "__main__":
    main()
