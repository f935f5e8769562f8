"""The types of spec fields: what YAML may hold, checked strictly.

pydantic reads these annotations; the values themselves are plain ints, strings and tuples.
Lax conversions that hide mistakes (``"yes"`` to true, ``"4"`` to 4) are refused.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from quarterdeck.core.size import parse_size
from quarterdeck.errors import UsageError

STRICT: dict[str, Any] = {"extra": "forbid", "use_attribute_docstrings": True}
"""pydantic's settings of every part of a spec."""


def _no_bool(value: Any) -> Any:
    if isinstance(value, bool):
        raise PydanticCustomError("not_a_number", "must be a number, not true or false")
    return value


def _size(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise PydanticCustomError("size", "must be a size such as 512M or 20G")
    if isinstance(value, int):
        return value
    try:
        return parse_size(value)
    except UsageError:
        raise PydanticCustomError("size", "must be a size such as 512M or 20G") from None


def _one_line(value: str) -> str:
    if "\0" in value or "\n" in value:
        raise PydanticCustomError("one_line", "must be one line without NUL")
    return value


Flag = Annotated[bool, Field(strict=True)]
Count = Annotated[int, Field(strict=True, ge=1, le=1024)]
Text = Annotated[str, Field(strict=True, min_length=1, max_length=4096), AfterValidator(_one_line)]
LongText = Annotated[str, Field(strict=True, max_length=1 << 20)]
Name = Annotated[str, StringConstraints(strict=True, pattern=r"^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$")]
HostName = Annotated[str, StringConstraints(strict=True, pattern=r"^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$")]
DomainName = Annotated[str, StringConstraints(strict=True, pattern=r"^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$")]
"""A host name with or without its domain."""
UserName = Annotated[str, StringConstraints(strict=True, pattern=r"^[a-z_][a-z0-9_-]{0,31}$")]
Mac = Annotated[str, StringConstraints(strict=True, to_lower=True, pattern=r"^[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}$")]
Size = Annotated[
    int,
    BeforeValidator(_size),
    Field(ge=1, le=1 << 60),
    WithJsonSchema(
        {
            "anyOf": [{"type": "integer", "minimum": 1}, {"type": "string", "pattern": r"^\d+(\.\d+)?\s*([KMGTP]i?)?B?$"}],
            "description": "bytes, or a size such as 20G",
        }
    ),
]
Number = Annotated[int, BeforeValidator(_no_bool)]
