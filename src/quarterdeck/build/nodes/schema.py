"""The form of the file of nodes. A module of its own: pydantic takes longer to import than all that builds do without it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class TlsEntry(_Strict):
    """How a daemon is trusted and who it trusts: paths of PEM files, and the name in its certificate."""

    ca: str | None = None
    certificate: str | None = None
    key: str | None = None
    server_name: str = ""


class NodeEntry(_Strict):
    """One node."""

    name: str
    endpoint: str
    platforms: list[str] = []
    slots: Annotated[int, Field(ge=1, le=1024)] | None = None
    weight: Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False)] = 1.0
    engine: str | None = None
    tls: TlsEntry = TlsEntry()
    identity: str | None = None
    options: dict[str, str] = {}


class NodeFile(_Strict):
    """The whole file; ``default`` are the names of the nodes in use."""

    version: Literal[1]
    default: list[str] = []
    nodes: list[NodeEntry] = []


def read_file(value: Any) -> NodeFile:
    """Return what the JSON of a file says.

    Raises:
        ValueError: it is no such file; the place and what is wrong there, in one line.
    """
    try:
        return NodeFile.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        raise ValueError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
