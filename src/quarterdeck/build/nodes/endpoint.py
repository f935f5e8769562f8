"""Endpoints as people write them: ``ssh://me@host``, ``tcp://host:1234``, ``docker-context://NAME``, ``machine://NAME``..."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from quarterdeck.build.nodes.model import Kind
from quarterdeck.errors import UsageError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", re.ASCII)
_HOST = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*|[0-9A-Fa-f:.]+(%[A-Za-z0-9_.-]+)?", re.ASCII)
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@\\-]*", re.ASCII)
_NAMED = {kind.value: kind for kind in (Kind.DOCKER_CONTEXT, Kind.CONTAINER, Kind.MACHINE, Kind.BUILDX)}
_FORMS = (
    "docker-context://NAME, ssh://USER@HOST[:PORT], tcp://HOST:PORT, unix:///PATH, docker-container://NAME, machine://NAME, "
    "buildx://NAME[/NODE]"
)
# What people write for an endpoint elsewhere, and how it begins here.
_MEANT = (
    (re.compile(r"\w[^/@:\s]*@\w[^/@\s]*", re.ASCII), "ssh://"),
    (re.compile(r"https?://(?P<rest>\w[^/@\s]*:[0-9]+)/?", re.ASCII), "tcp://"),
    (re.compile(r"\w[^/@:\s]*:[0-9]+", re.ASCII), "tcp://"),
    (re.compile(r"/[^/\s]\S*", re.ASCII), "unix://"),
)
_SOCKET_PATH_MAX = 107
"""Longest path of a Unix socket in bytes, unix(7)."""


@dataclass(frozen=True)
class Endpoint:
    """An endpoint in its parts; ``name`` is that of a context, container builder, machine or builder, ``path`` that of a socket.

    ``member`` is one node of a builder of buildx, empty for all of them.
    """

    kind: Kind
    url: str
    name: str = ""
    user: str = ""
    host: str = ""
    port: int | None = None
    path: str = ""
    member: str = ""


def check_name(name: str) -> str:
    """Return ``name`` if a node may have it.

    Raises:
        UsageError: it may not.
    """
    if not _NAME.fullmatch(name):
        hint = "names have up to 64 letters, digits, dots, dashes and underscores, and begin with a letter or digit"
        raise UsageError("invalid-node-name", f"{name!r} is no name of a node", hint=hint)
    return name


def parse_endpoint(text: str) -> Endpoint:
    """Return what an endpoint means; a bare name is a Docker context's.

    Raises:
        UsageError: it means nothing, or holds a password, which would be stored in the clear.
    """
    if text == Kind.LOCAL:
        return Endpoint(Kind.LOCAL, text)
    if _NAME.fullmatch(text):
        return Endpoint(Kind.DOCKER_CONTEXT, f"docker-context://{text}", name=text)
    if not text.isprintable():
        raise _bad(text, "it holds signs that cannot be printed")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise _bad(text, str(error)) from None
    if parts.password is not None:
        raise UsageError(
            "endpoint-with-password", "an endpoint may not hold a password", hint="use a key: ssh-copy-id, then ssh://USER@HOST"
        )
    if parts.query or parts.fragment:
        raise _bad(text, "nothing may follow '?' or '#'")
    if parts.scheme in _NAMED:
        return _named(text, parts)
    match parts.scheme:
        case "unix":
            return _socket(text, parts)
        case "ssh" | "tcp":
            return _remote(text, parts, port)
    raise _bad(text, f"the scheme {parts.scheme!r} is unknown" if parts.scheme else "")


def _named(text: str, parts: SplitResult) -> Endpoint:
    kind, member = _NAMED[parts.scheme], parts.path.strip("/")
    if not _NAME.fullmatch(parts.netloc) or (member and (kind is not Kind.BUILDX or not _NAME.fullmatch(member))):
        raise _bad(text, "a name must follow '://', and nothing after it")
    return Endpoint(kind, f"{parts.scheme}://{parts.netloc}{f'/{member}' if member else ''}", name=parts.netloc, member=member)


def _socket(text: str, parts: SplitResult) -> Endpoint:
    if parts.netloc or not Path(parts.path).is_absolute() or not parts.path.isprintable():
        raise _bad(text, "three slashes are needed before the path of a socket: unix:///run/buildkit/buildkitd.sock")
    if len(parts.path.encode()) > _SOCKET_PATH_MAX:
        raise _bad(text, f"the path of a socket has at most {_SOCKET_PATH_MAX} bytes")
    return Endpoint(Kind.BUILDKIT, f"unix://{parts.path}", path=parts.path)


def _remote(text: str, parts: SplitResult, port: int | None) -> Endpoint:
    host, user = parts.hostname or "", parts.username or ""
    if not _HOST.fullmatch(host):
        raise _bad(text, "it has no usable host name")
    if parts.path.strip("/"):
        raise _bad(text, "no path may follow the host")
    shown = f"[{host}]" if ":" in host else host
    if parts.scheme == "tcp":
        if not port or user:
            raise _bad(text, "a port is needed, and no user: tcp://HOST:PORT")
        return Endpoint(Kind.BUILDKIT, f"tcp://{shown}:{port}", host=host, port=port)
    if (user and not _USER.fullmatch(user)) or port == 0:
        raise _bad(text, "its user or port cannot be")
    url = f"ssh://{user + '@' if user else ''}{shown}{f':{port}' if port else ''}"
    return Endpoint(Kind.SSH, url, user=user, host=host, port=port)


def _bad(text: str, reason: str) -> UsageError:
    meant = _meant(text)
    hint = f"did you mean {meant}? " if meant else ""
    return UsageError("invalid-endpoint", f"{text!r} is no endpoint of a node", reason=reason, hint=f"{hint}endpoints are: {_FORMS}")


def _meant(text: str) -> str:
    """Return the endpoint that somebody may have meant, empty when nobody can tell."""
    for pattern, scheme in _MEANT:
        if match := pattern.fullmatch(text):
            return scheme + (match.groupdict().get("rest") or text)
    return ""
