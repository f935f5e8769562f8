"""How a guest's memory follows what the host can spare."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import Field

from quarterdeck.machine.fields import STRICT, Size

Share = Annotated[str, Field(strict=True, pattern=r"^[1-9]\d?%$")]
Percent = Annotated[int, Field(strict=True, ge=1, le=99)]


@dataclass(frozen=True, kw_only=True)
class BallooningSpec:
    """When the guest gives memory back. What counts is the memory that the container's limit leaves, else the host's."""

    __pydantic_config__: ClassVar[Any] = STRICT

    minimum: Size | Share = "33%"
    """The guest always keeps this much: a size, or a share of ``memory``."""
    usage: Percent = 80
    """Percent of the memory in use above which the guest gives back what it does not need itself."""
    usage_hard: Percent = 90
    """Percent in use above which it gives back down to ``minimum``, needed or not."""
    pressure: Percent = 10
    """Percent of the time in which something waited for memory (the kernel's PSI, ``some avg10``) above which the guest gives back."""
    pressure_hard: Percent = 50
    """The same, down to ``minimum``."""
    hysteresis: Size = 128 << 20
    """Room beyond ``usage`` that must be left when the guest gets memory again, and the most that it gets at once."""
    interval: Annotated[int, Field(strict=True, ge=1, le=3600)] = 5
    """Seconds between two looks."""
