"""The QEMU guest agent, spoken to over its Unix socket.

The guest is not trusted: answers may be late, huge, of the wrong type, or never end. All that becomes a
QemuError or DeadlineError. Protocol: QEMU guest agent protocol reference (qga/qapi-schema.json, QEMU 7.2),
``guest-sync-delimited`` with its 0xFF sentinel puts both ends in step again after anything odd.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from quarterdeck.errors import DeadlineError, QemuError

_SENTINEL = b"\xff"
_LONGEST_REPLY = 16 << 20
_REPLY_SECONDS = 5.0


class AgentError(QemuError):
    """The agent answered with an error: its class and description are in ``reason``."""

    def __init__(self, command: str, kind: str, description: str) -> None:
        super().__init__("agent-refused", f"the guest agent refused '{command}'", reason=description or kind)
        self.kind = kind

    @property
    def unknown_command(self) -> bool:
        """Whether the agent does not have the command, or was told not to run it."""
        return self.kind in {"CommandNotFound", "CommandDisabled"}


class GuestAgent:
    """A connection to the agent of one guest; runs one command at a time, and reconnects when it must."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._in_step = False
        self._turn = asyncio.Lock()

    async def execute(self, command: str, arguments: Mapping[str, Any] | None = None, *, timeout: float = _REPLY_SECONDS) -> Any:
        """Run an agent command and return its answer.

        Raises:
            AgentError: the agent refused.
            QemuError: the socket cannot be reached, or the answer makes no sense.
            DeadlineError: no answer within ``timeout`` seconds, such as when no agent runs.
        """
        async with self._turn:
            try:
                async with asyncio.timeout(timeout):
                    await self._synchronise()
                    await self._send(command, arguments)
                    return _result(command, await self._receive())
            except TimeoutError:
                await self._drop()
                raise DeadlineError("agent-timeout", f"the guest agent did not answer '{command}' within {timeout:g} s") from None
            except (OSError, EOFError) as error:
                await self._drop()
                raise QemuError("agent-unreachable", "the guest agent cannot be reached", reason=str(error)) from None
            except AgentError:
                raise
            except BaseException:
                await self._drop()
                raise

    async def send_only(self, command: str, arguments: Mapping[str, Any] | None = None, *, timeout: float = _REPLY_SECONDS) -> None:
        """Run an agent command that answers nothing when it works, such as guest-shutdown.

        An error that arrives at once is raised as :meth:`execute` does; silence is success.
        """
        async with self._turn:
            try:
                async with asyncio.timeout(timeout):
                    await self._synchronise()
                    await self._send(command, arguments)
                await self._refusal(command)
            except TimeoutError:
                raise DeadlineError("agent-timeout", "the guest agent did not answer") from None
            except (OSError, EOFError) as error:
                raise QemuError("agent-unreachable", "the guest agent cannot be reached", reason=str(error)) from None
            finally:
                await self._drop()

    async def close(self) -> None:
        """Give up the connection."""
        await self._drop()

    async def _refusal(self, command: str) -> None:
        try:
            async with asyncio.timeout(1.0):
                _result(command, await self._receive())
        except (TimeoutError, EOFError, ConnectionError):
            return

    async def _synchronise(self) -> None:
        """Connect if need be, and read on until the agent repeats our number: then all older answers are behind us."""
        if self._in_step:
            return
        await self._drop()
        self._reader, self._writer = await asyncio.open_unix_connection(str(self._path), limit=_LONGEST_REPLY)
        number = secrets.randbelow(1 << 31)
        request = json.dumps({"execute": "guest-sync-delimited", "arguments": {"id": number}}).encode()
        self._writer.write(_SENTINEL + request + b"\n")
        await self._writer.drain()
        while True:
            await asyncio.sleep(0)  # a flood of lines must not keep the deadline from being noticed
            line = await self._line()
            _, marked, answer = line.rpartition(_SENTINEL)
            if marked and _json(answer) == {"return": number}:
                break
        self._in_step = True

    async def _send(self, command: str, arguments: Mapping[str, Any] | None) -> None:
        assert self._writer is not None
        request = {"execute": command, **({} if arguments is None else {"arguments": dict(arguments)})}
        self._writer.write(json.dumps(request).encode() + b"\n")
        await self._writer.drain()

    async def _receive(self) -> Any:
        return _json(await self._line())

    async def _line(self) -> bytes:
        assert self._reader is not None
        try:
            line = await self._reader.readuntil(b"\n")
        except asyncio.LimitOverrunError:
            raise QemuError("agent-odd-reply", "the guest agent sent an answer that does not end") from None
        except asyncio.IncompleteReadError:
            raise EOFError("the connection was closed") from None
        return line

    async def _drop(self) -> None:
        writer, self._reader, self._writer, self._in_step = self._writer, None, None, False
        if writer is None:
            return
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def _json(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _result(command: str, reply: Any) -> Any:
    if not isinstance(reply, dict):
        raise QemuError("agent-odd-reply", f"the guest agent answered '{command}' with something that is not JSON")
    error = reply.get("error")
    if isinstance(error, dict):
        raise AgentError(command, str(error.get("class", "")), str(error.get("desc", "")))
    if "return" not in reply:
        raise QemuError("agent-odd-reply", f"the guest agent answered '{command}' with neither result nor error")
    return reply["return"]
