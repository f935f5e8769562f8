"""Byte streams to daemons: a Unix socket, TCP with or without TLS, or a program that passes its standard streams on."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from quarterdeck.build.nodes.endpoint import Endpoint
from quarterdeck.build.nodes.model import Tls
from quarterdeck.core.handle import ProcessHandle
from quarterdeck.core.process import Argv, spawn
from quarterdeck.errors import TargetError, UsageError

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]
_END_SECONDS = 2.0
_ENOUGH = 65536


@asynccontextmanager
async def connect(endpoint: Endpoint, tls: Tls) -> AsyncIterator[Stream]:
    """Have a connection to ``unix://`` or ``tcp://``.

    Raises:
        TargetError: nobody answers there, or the TLS certificates do not fit.
        UsageError: a TLS file cannot be used.
    """
    try:
        if endpoint.path:
            stream = await asyncio.open_unix_connection(endpoint.path)
        else:
            context = _context(tls)
            stream = await asyncio.open_connection(
                endpoint.host, endpoint.port, ssl=context, server_hostname=(tls.server_name or endpoint.host) if context else None
            )
    except ssl.SSLCertVerificationError as error:
        hint = "give the CA that signed it with --tls-ca, and the name in it with --tls-server-name"
        raise TargetError(
            "tls-refused", f"the certificate of {endpoint.url} is not trusted", reason=error.verify_message, hint=hint
        ) from None
    except ssl.SSLError as error:
        reason = (error.reason or str(error)).lower().replace("_", " ")
        hint = "give --tls-ca, --tls-cert and --tls-key as the daemon was started with"
        raise TargetError("tls-refused", f"{endpoint.url} and we agree on no TLS connection", reason=reason, hint=hint) from None
    except OSError as error:
        raise unreachable(endpoint.url, error) from None
    try:
        yield stream
    finally:
        await _close(stream[1])


def unreachable(url: str, error: OSError) -> TargetError:
    """Return why nobody could be reached, in words."""
    reason = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
    return TargetError("node-unreachable", f"nobody answers at {url}", reason=reason, hint="is it started, and is the address right?")


@asynccontextmanager
async def through(argv: Argv) -> AsyncIterator[Stream]:
    """Have the standard streams of a program as a connection; it ends with the block.

    Raises:
        HostError: the program cannot be started.
    """
    ours, theirs = socket.socketpair()
    with theirs:
        try:
            process = spawn(argv, log=theirs.fileno(), stdin=theirs.fileno())
        except BaseException:
            ours.close()
            raise
    try:
        reader, writer = await asyncio.open_connection(sock=ours)
        try:
            yield reader, writer
        finally:
            # Nobody waits for what the program may not have read yet.
            writer.transport.abort()
            await _close(writer)
    finally:
        ours.close()
        await _end(process)


async def _end(process: ProcessHandle) -> None:
    process.send(signal.SIGTERM)
    try:
        async with asyncio.timeout(_END_SECONDS):
            await process.wait()
    except TimeoutError:
        process.send(signal.SIGKILL)
        await process.wait()


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


def _context(tls: Tls) -> ssl.SSLContext | None:
    if tls == Tls():
        return None
    try:
        context = ssl.create_default_context(cafile=tls.ca)
        if tls.certificate:
            # A key with a passphrase would ask for it on the terminal.
            context.load_cert_chain(tls.certificate, tls.key, password="")
        context.set_alpn_protocols(["h2"])
    except OSError as error:
        names = ", ".join(str(path) for path in (tls.ca, tls.certificate, tls.key) if path)
        reason = error.strerror or str(error)
        raise UsageError("tls-files-unusable", f"the TLS files cannot be used: {names}", reason=reason) from None
    return context
