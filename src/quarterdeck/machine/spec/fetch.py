"""How images are fetched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import Field

from quarterdeck.machine.fields import STRICT, Flag, Text


@dataclass(frozen=True, kw_only=True)
class FetchSpec:
    """How what ``boot`` names is fetched and unpacked."""

    __pydantic_config__: ClassVar[Any] = STRICT

    checksum: Annotated[str, Field(strict=True, pattern=r"^[A-Za-z0-9-]{2,10}[:=][0-9A-Fa-f]{32,128}$")] | None = None
    """What the file must be, as ``sha256:VALUE``; also sha512, b2, sha1 and md5."""
    unverified: Flag = False
    """Take what neither a checksum nor a signature proves. It is recorded."""
    member: Text | None = None
    """Which image of an archive that holds several."""
    catalogue: tuple[Text, ...] = ()
    """Folders of catalogue entries, or https URLs of one file of them, over the user's own and those that come with Quarterdeck."""
