"""Proves that passt works as the user that QEMU runs as, or says why not.

That it starts proves nothing: it shuts itself in namespaces of its own only after it has made its socket, and seccomp profiles of
container engines, that of Docker by default, forbid it that. So it is started with a socket that is thrown away, and asked for an
address as a guest would.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import struct
import tempfile
from pathlib import Path
from typing import Any

from quarterdeck.core import clock, process
from quarterdeck.core.handle import ProcessHandle
from quarterdeck.core.process import Identity
from quarterdeck.errors import QuarterdeckError
from quarterdeck.host import cache
from quarterdeck.host.facts import Verdict
from quarterdeck.host.files import read_text

_TIMEOUT = 3.0
_SILENCE = 0.5
"""Seconds after which a passt that lives but does not answer (it has no IPv4) is believed."""
_RETRY = 0.01
_REFUSAL_SECONDS = 300.0
_GUEST = bytes.fromhex("525400000001")
_STATE = ("/proc/net/route", "/proc/net/ipv6_route", "/proc/sys/kernel/random/boot_id")
_SECURITY = ("Seccomp:", "NoNewPrivs:", "CapEff:", "CapBnd:")


async def prove_passt(program: str | None, identity: Identity | None) -> Verdict:
    """Return whether ``program`` carries packets when run as ``identity`` (None: as we are)."""
    if program is None:
        return Verdict(False, "it is not installed", "apt install passt")
    question = _question(program, identity)
    known = _recalled(cache.recall("passt", question))
    if known is not None:
        return known
    verdict = await _try(program, identity)
    cache.remember("passt", question, {"works": verdict.works, "reason": verdict.reason, "hint": verdict.hint, "time": clock.now()})
    return verdict


def _question(program: str, identity: Identity | None) -> str:
    """Return a text that changes with whatever may change the answer."""
    with contextlib.suppress(OSError):
        status = os.stat(program)
        program = f"{program} {status.st_ino} {status.st_size} {status.st_mtime_ns}"
    routes = [read_text(Path("/"), path) for path in _STATE]
    security = [line for line in read_text(Path("/"), "/proc/self/status").splitlines() if line.startswith(_SECURITY)]
    return "\n".join([program, repr(identity), str(os.geteuid()), *routes, *security])


def _recalled(answer: dict[str, Any] | None) -> Verdict | None:
    """Return the kept answer; a refusal is asked for again after a while."""
    if answer is None:
        return None
    works, reason, hint = answer.get("works"), answer.get("reason"), answer.get("hint")
    if not isinstance(works, bool) or not isinstance(reason, str) or not isinstance(hint, str):
        return None
    fresh = isinstance(answer.get("time"), int | float) and 0 <= clock.now() - answer["time"] < _REFUSAL_SECONDS
    return Verdict(works, reason, hint) if works or fresh else None


async def _try(program: str, identity: Identity | None) -> Verdict:
    try:
        folder = Path(tempfile.mkdtemp(prefix="qd-passt-"))
    except OSError as error:
        return Verdict(False, f"it cannot be tried: {error.strerror}")
    log = os.open(folder / "log", os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        if identity is not None:
            os.chown(folder, identity.uid, identity.gid)
        return await _run(program, identity, folder=folder, log=log)
    except QuarterdeckError as error:
        return Verdict(False, f"it cannot be tried: {error.message}")
    except OSError as error:
        return Verdict(False, f"it cannot be tried: {error.strerror}")
    finally:
        os.close(log)
        shutil.rmtree(folder, ignore_errors=True)


async def _run(program: str, identity: Identity | None, *, folder: Path, log: int) -> Verdict:
    path = folder / "sock"
    setpriv = process.find("setpriv")
    # Who tries it may be killed, and nobody would ever look for a passt that waits for its one guest.
    leash = [setpriv, "--pdeathsig", "KILL", "--"] if setpriv else []
    words = [*leash, program, "--foreground", "--one-off", "--socket", str(path)]
    running = process.spawn(words, log=log, cwd=folder, identity=identity)
    try:
        async with asyncio.timeout(_TIMEOUT):
            answered = await _answers(running, path)
    except TimeoutError:
        answered = False
    finally:
        running.send(9)
        await running.wait()
    if answered:
        return Verdict(True, "it was tried")
    return Verdict(False, _last_words(log) or "it ended when it was tried")


async def _answers(running: ProcessHandle, path: Path) -> bool:
    """Ask passt for an address; whether it answers, or at least lives on."""
    connection = await _connect(running, path)
    if connection is None:
        return False
    reader, writer = connection
    try:
        writer.write(_question_frame())
        await writer.drain()
        async with asyncio.timeout(_SILENCE):
            return bool(await reader.read(4))
    except TimeoutError:
        return running.alive()
    finally:
        writer.close()


async def _connect(running: ProcessHandle, path: Path) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
    """Return the connection; None when passt ended before there was one, which its own words explain."""
    while running.alive():
        with contextlib.suppress(FileNotFoundError, ConnectionRefusedError):
            return await asyncio.open_unix_connection(path)
        await asyncio.sleep(_RETRY)
    return None


def _question_frame() -> bytes:
    """Return an ARP request (RFC 826) for a link-local address, as passt's socket takes it: after its length."""
    head = b"\xff" * 6 + _GUEST + b"\x08\x06"
    body = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) + _GUEST + bytes(4) + bytes(6) + socket.inet_aton("169.254.99.99")
    frame = head + body
    return struct.pack("!I", len(frame)) + frame


def _last_words(log: int) -> str:
    """Return what passt said last, without its complaints that there is no syslog."""
    os.lseek(log, 0, os.SEEK_SET)
    lines = os.read(log, 64 * 1024).decode(errors="replace").splitlines()
    telling = [line.strip() for line in lines if line.strip() and "to syslog" not in line]
    return telling[-1][:200] if telling else ""
