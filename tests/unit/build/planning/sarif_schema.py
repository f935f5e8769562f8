"""What the schema of SARIF 2.1.0 demands of the parts that are used: its objects are closed, and these members are required.

Source: sarif-schema-2.1.0.json of the OASIS standard, definitions of the same names.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AnyUrl, BaseModel, ConfigDict, Field

Line = Annotated[int, Field(ge=1)]


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Text(_Closed):
    """``message`` and ``multiformatMessageString``."""

    text: Annotated[str, Field(min_length=1)]


class Rule(_Closed):
    """``reportingDescriptor``."""

    id: str
    shortDescription: Text  # noqa: N815 - names are those of the standard


class Driver(_Closed):
    """``toolComponent``."""

    name: str
    version: str
    rules: list[Rule]


class Tool(_Closed):
    """``tool``."""

    driver: Driver


class Region(_Closed):
    """``region``."""

    startLine: Line  # noqa: N815
    endLine: Line  # noqa: N815


class ArtifactLocation(_Closed):
    """``artifactLocation``; its ``uri`` is a URI reference without spaces, RFC 3986."""

    uri: Annotated[str, Field(pattern=r"^[!#-;=?-\[\]_a-z~]+$")]
    uriBaseId: str | None = None  # noqa: N815


class PhysicalLocation(_Closed):
    """``physicalLocation``."""

    artifactLocation: ArtifactLocation  # noqa: N815
    region: Region | None = None


class Location(_Closed):
    """``location``."""

    physicalLocation: PhysicalLocation  # noqa: N815


class Result(_Closed):
    """``result``."""

    ruleId: str  # noqa: N815
    ruleIndex: Annotated[int, Field(ge=-1)]  # noqa: N815
    level: Literal["none", "note", "warning", "error"]
    message: Text
    locations: list[Location]


class Run(_Closed):
    """``run``."""

    tool: Tool
    results: list[Result]
    columnKind: Literal["utf16CodeUnits", "unicodeCodePoints"]  # noqa: N815


class Log(_Closed):
    """The whole file."""

    schema_: Annotated[AnyUrl, Field(alias="$schema", strict=False)]
    version: Literal["2.1.0"]
    runs: list[Run]
