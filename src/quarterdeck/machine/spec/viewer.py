"""Where the web console listens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import Field

from quarterdeck.machine.fields import STRICT, DomainName, Flag


@dataclass(frozen=True, kw_only=True)
class ViewerSpec:
    """Where the web console listens."""

    __pydantic_config__: ClassVar[Any] = STRICT

    address: Annotated[str, Field(strict=True, min_length=1, max_length=253)] = "127.0.0.1"
    port: Annotated[int, Field(strict=True, ge=0, le=65535)] | None = None
    """Default: 8006, or the next free one. 0 takes any free one."""
    names: tuple[DomainName, ...] = ()
    """Further host names that browsers reach it by, such as that of a reverse proxy; others are refused against DNS rebinding."""
    enabled: Flag = True
