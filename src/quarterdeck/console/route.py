"""One HTTP route: what serves it, who may use it, and what its description says."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum

from aiohttp import web

from quarterdeck.console.auth import Auth
from quarterdeck.console.backend import MachineBackend
from quarterdeck.console.sessions import Session
from quarterdeck.console.streams import Streams


@dataclass(frozen=True, kw_only=True)
class Console:
    """What all handlers of one listener share.

    ``auth`` is None on the Unix socket. ``new_link`` returns the full URL of a new one-time link. ``first_event`` is added to the
    numbers of events, see ``events.py``. ``everybody``: the viewer port asks nobody who they are.
    """

    backend: MachineBackend
    auth: Auth | None
    new_link: Callable[[bool], str]
    streams: Streams
    first_event: int
    routes: tuple[Route, ...]
    prefix: str
    everybody: bool = False


@dataclass(frozen=True)
class Call:
    """One request with all that its handler needs."""

    request: web.Request
    console: Console
    session: Session

    @property
    def backend(self) -> MachineBackend:
        """The machine."""
        return self.console.backend

    @property
    def from_page(self) -> bool:
        """Whether it came through the viewer port: from a page, which wants to stay when the machine stops."""
        return self.console.auth is not None


Handler = Callable[[Call], Awaitable[web.StreamResponse]]


class Access(Enum):
    """Who may use a route."""

    VIEW = "any session"
    CONTROL = "a session that is not view-only"


@dataclass(frozen=True)
class Answer:
    """What a successful request gets. ``schema`` names one of ``schemas.py``, empty when there is nothing to describe."""

    status: int
    description: str
    schema: str = ""
    content_type: str = "application/json"


@dataclass(frozen=True)
class Parameter:
    """A parameter in the path or the query, with its JSON Schema."""

    name: str
    place: str
    description: str
    schema: dict[str, object]


@dataclass(frozen=True, kw_only=True)
class Route:
    """One method of one path below ``/api/v1``; ``operation`` is its unique name."""

    method: str
    path: str
    handler: Handler
    access: Access
    operation: str
    summary: str
    answer: Answer
    body: str = ""
    parameters: tuple[Parameter, ...] = ()
    websocket: bool = False

    @property
    def own_origin(self) -> bool:
        """Whether a request from a page of another origin could do harm: it changes something, or opens a WebSocket."""
        return self.websocket or self.method != "GET"
