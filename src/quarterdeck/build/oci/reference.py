"""Names of images: ``debian``, ``docker.io/library/debian:12``, ``127.0.0.1:5000/app@sha256:...``.

Source: the grammar and the defaults of distribution/reference 0.6, which Docker, podman and registries share.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from quarterdeck.build.oci.digest import check_digest
from quarterdeck.build.oci.errors import BadImageError
from quarterdeck.build.oci.words import printable
from quarterdeck.errors import UsageError

_HUB = "docker.io"
_OLD_HUB = "index.docker.io"
_OFFICIAL = "library/"
_LOCAL = "localhost"
_LATEST = "latest"
_LONGEST_NAME = 255
_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_PATH = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*", re.ASCII)
_LABEL = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_DOMAIN = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?", re.ASCII)
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", re.ASCII)
_IDENTIFIER = re.compile(r"[a-f0-9]{64}", re.ASCII)


@dataclass(frozen=True)
class Reference:
    """A name in its normal form: ``domain`` of the registry, ``path`` in it, and ``tag`` and ``digest``, empty where there is none."""

    domain: str
    path: str
    tag: str = ""
    digest: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the normal form of ``text``; without a domain it is Docker Hub's, as Docker takes it.

        Raises:
            UsageError: it is no name of an image.
        """
        name, at, digest = text.partition("@")
        if at:
            _check_digest(digest, text)
        if _IDENTIFIER.fullmatch(name):
            raise _bad(text, "64 hexadecimal digits are the identifier of an image and no name")
        domain, path = _split(name)
        path, colon, tag = path.partition(":")
        if colon and not _TAG.fullmatch(tag):
            raise _bad(text, f"'{printable(tag)}' is no tag: letters, digits, '_', '.' and '-', 128 of them at most")
        if path != path.lower():
            raise _bad(text, "the name of a repository has only small letters")
        if not _PATH.fullmatch(path) or not _DOMAIN.fullmatch(domain):
            raise _bad(text, "")
        if len(domain) + len(path) >= _LONGEST_NAME:
            raise _bad(text, f"it has more than {_LONGEST_NAME} characters")
        return cls(domain, path, tag, digest)

    @property
    def name(self) -> str:
        """The name without tag and digest: ``docker.io/library/debian``."""
        return f"{self.domain}/{self.path}"

    @property
    def familiar(self) -> str:
        """The shortest form that means the same: ``debian:12``."""
        if self.domain != _HUB:
            return str(self)
        official = self.path.removeprefix(_OFFICIAL)
        return (self.path if "/" in official else official) + self._suffix

    def with_default_tag(self) -> Reference:
        """Return it with the tag ``latest`` when it has neither tag nor digest."""
        return self if self.tag or self.digest else Reference(self.domain, self.path, _LATEST)

    def with_digest(self, digest: str) -> Reference:
        """Return the name of what ``digest`` is in the same repository, without a tag."""
        return Reference(self.domain, self.path, digest=digest)

    @property
    def for_transport(self) -> str:
        """The form that skopeo's transports take, which know a tag or a digest and not both; a digest says more."""
        wanted = Reference(self.domain, self.path, digest=self.digest) if self.digest else self.with_default_tag()
        return str(wanted)

    def __str__(self) -> str:
        return self.name + self._suffix

    @property
    def _suffix(self) -> str:
        return (f":{self.tag}" if self.tag else "") + (f"@{self.digest}" if self.digest else "")


def _split(name: str) -> tuple[str, str]:
    """Return domain and rest; the first part is a domain only when it can be no part of a path on Docker Hub."""
    first, slash, rest = name.partition("/")
    if not slash or not ("." in first or ":" in first or first == _LOCAL or first != first.lower()):
        domain, rest = _HUB, name
    else:
        domain = _HUB if first == _OLD_HUB else first
    if domain == _HUB and "/" not in rest:
        rest = _OFFICIAL + rest
    return domain, rest


def _check_digest(digest: str, text: str) -> None:
    try:
        check_digest(digest)
    except BadImageError as error:
        raise _bad(text, error.reason) from None


def _bad(text: str, reason: str) -> UsageError:
    return UsageError(
        "invalid-reference",
        f"'{printable(text[:300])}' is no name of an image",
        reason=reason,
        hint="names are written like debian:12, ghcr.io/owner/app:1.0 or 127.0.0.1:5000/app",
    )
