"""The supervisor's HTTP API for short-lived commands: http.client over its Unix socket, nothing heavier."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from quarterdeck.errors import (
    DeadlineError,
    HostError,
    MediaError,
    QemuError,
    QuarterdeckError,
    TargetError,
    UsageError,
)
from quarterdeck.runtime.events import Record

API = "/api/v1"
_BY_EXIT_CODE: dict[int, type[QuarterdeckError]] = {
    kind.exit_code: kind for kind in (UsageError, HostError, MediaError, QemuError, TargetError, DeadlineError)
}
_LARGEST_REPLY = 64 << 20


class _UnixConnection(http.client.HTTPConnection):
    """An HTTP connection over the Unix socket ``path``."""

    def __init__(self, path: Path, timeout: float | None) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class SupervisorClient:
    """Speaks to the supervisor of one machine through its socket ``path``; ``timeout`` in seconds is for each answer."""

    def __init__(self, path: Path, *, timeout: float = 30.0) -> None:
        self._path = path
        self._timeout = timeout

    def request(self, method: str, path: str, body: Any = None) -> Any:
        """Return the JSON answer of ``path`` (below ``/api/v1``); None when the answer is empty.

        Raises:
            QuarterdeckError: what the supervisor answered, as the same class that it raised there.
            QemuError: nobody answers at the socket.
            DeadlineError: no answer came in time.
        """
        content = self.fetch(method, path, body)
        return _parse(content) if content else None

    def fetch(self, method: str, path: str, body: Any = None) -> bytes:
        """Return the answer's body as it is, for screenshots and logs. Raises: as :meth:`request`."""
        with self._answer(method, path, body, timeout=self._timeout) as response:
            return response.read(_LARGEST_REPLY)

    def events(self, after: int = 0) -> Iterator[Record]:
        """Yield the events whose number is above ``after``, then new ones, until the supervisor ends.

        Raises: as :meth:`request`.
        """
        headers = {"Accept": "text/event-stream", "Last-Event-ID": str(after)}
        with self._answer("GET", "/events", None, timeout=None, headers=headers) as response:
            yield from _records(response)

    @contextmanager
    def _answer(
        self, method: str, path: str, body: Any, *, timeout: float | None, headers: dict[str, str] | None = None
    ) -> Iterator[http.client.HTTPResponse]:
        connection = _UnixConnection(self._path, timeout)
        content = None if body is None else json.dumps(body).encode()
        typed = {} if body is None else {"Content-Type": "application/json"}
        try:
            connection.request(method, API + path, body=content, headers={**typed, **(headers or {})})
            response = connection.getresponse()
            if response.status >= 400:
                raise error_from_json(response.status, response.read(_LARGEST_REPLY))
            yield response
        except TimeoutError:
            raise DeadlineError("supervisor-timeout", "the machine's supervisor did not answer in time") from None
        except (OSError, http.client.HTTPException) as error:
            raise _unreachable(error) from None
        finally:
            connection.close()


def error_from_json(status: int, content: bytes) -> QuarterdeckError:
    """Return the error that an answer with HTTP ``status`` carries."""
    try:
        raw = json.loads(content)["error"]
        kind = _BY_EXIT_CODE.get(raw["exit_code"], QuarterdeckError)
        return kind(str(raw["key"]), str(raw["message"]), reason=str(raw.get("reason", "")), hint=str(raw.get("hint", "")))
    except (ValueError, KeyError, TypeError, RecursionError):
        text = content[:200].decode(errors="replace").strip()
        return QemuError("supervisor-error", f"the machine's supervisor answered with HTTP status {status}", reason=text)


def _unreachable(error: Exception) -> QemuError:
    reason = getattr(error, "strerror", None) or str(error)
    return QemuError("supervisor-gone", "the machine's supervisor does not answer", reason=reason)


def _parse(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        raise QemuError("supervisor-error", "the machine's supervisor sent something that is not JSON") from None


def _records(lines: Iterator[bytes] | http.client.HTTPResponse) -> Iterator[Record]:
    """Read server-sent events (WHATWG HTML, section 9.2.6): fields by line, an empty line ends one event."""
    fields: dict[str, str] = {}
    for raw in lines:
        line = raw.decode(errors="replace").rstrip("\r\n")
        if line:
            name, _, value = line.partition(":")
            fields[name] = value.removeprefix(" ")
            continue
        record = _record(fields)
        fields = {}
        if record is not None:
            yield record


def _record(fields: dict[str, str]) -> Record | None:
    try:
        data = json.loads(fields["data"])
        return Record(int(fields.get("id", "0")), fields.get("event", "message"), data)
    except (KeyError, ValueError, RecursionError):
        return None
