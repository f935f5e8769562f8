"""Where the web console listens, and whom it lets in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import Field

from quarterdeck.machine.fields import STRICT, DomainName, Flag, Text
from quarterdeck.machine.spec.enums import ViewerTls


@dataclass(frozen=True, kw_only=True)
class ViewerSpec:
    """Where the web console listens, and whom it lets in besides those who have a one-time link."""

    __pydantic_config__: ClassVar[Any] = STRICT

    address: Annotated[str, Field(strict=True, min_length=1, max_length=253)] = "127.0.0.1"
    port: Annotated[int, Field(strict=True, ge=0, le=65535)] | None = None
    """Default: 8006, or the next free one. 0 takes any free one."""
    names: tuple[DomainName, ...] = ()
    """Further host names that browsers reach it by, such as that of a reverse proxy; others are refused against DNS rebinding."""
    enabled: Flag = True
    tls: ViewerTls = ViewerTls.OFF
    """HTTPS in place of HTTP: with a certificate that is made here and signed by itself, or with files."""
    tls_certificate: Text | None = None
    """The certificate with its chain, PEM. Read again when it changes."""
    tls_key: Text | None = None
    """The certificate's key, PEM, without a passphrase."""
    user: Text | None = None
    """The name that belongs to the password. Without it the password alone counts."""
    password_file: Text | None = None
    """A file whose first line is the password. Read again when it changes, which ends the sessions of the old one."""
    token_file: Text | None = None
    """A file with a token of 16 or more signs, for programs and lasting links."""
    view_token_file: Text | None = None
    """A file with a token for those who may look and do nothing."""
    open: Flag = False
    """Ask nobody who they are: whoever reaches the port owns the machine."""
