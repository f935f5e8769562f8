"""Requests about a machine's disks. They answer when the work is done; progress comes as events of the step ``storage`` and its parts.

What makes files outside of the machine is for the Unix socket alone: a page must not choose folders of the host.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from quarterdeck.console import body
from quarterdeck.console.hangup import while_connected
from quarterdeck.console.problems import RefusedError
from quarterdeck.console.route import Access, Answer, Call, Handler, Route
from quarterdeck.console.schemas import SCHEMAS
from quarterdeck.errors import UsageError

Fields = dict[str, Any]
Work = Callable[[Call, Fields], Awaitable[object]]
"""What a request asks for: made from its fields, it returns what is answered, nothing where the answer has no body."""


async def _snapshots(call: Call, _fields: Fields) -> object:
    return {"snapshots": call.backend.storage.snapshots()}


async def _disks(call: Call, _fields: Fields) -> object:
    return {"disks": await call.backend.storage.disks(private=not call.session.view_only)}


def _create(call: Call, fields: Fields) -> Awaitable[object]:
    return call.backend.storage.create_snapshot(body.text(fields, "tag"), memory=body.flag(fields, "memory"))


def _restore(call: Call, fields: Fields) -> Awaitable[object]:
    return call.backend.storage.restore_snapshot(_needed(fields, "tag"))


def _remove(call: Call, fields: Fields) -> Awaitable[object]:
    return call.backend.storage.remove_snapshot(_needed(fields, "tag"))


def _back_up(call: Call, fields: Fields) -> Awaitable[object]:
    return call.backend.storage.back_up(_folder(fields), full=body.flag(fields, "full"))


def _clone(call: Call, fields: Fields) -> Awaitable[object]:
    return call.backend.storage.clone(_needed(fields, "name"), full=body.flag(fields, "full"), ports=body.texts(fields, "ports"))


def _copy(call: Call, fields: Fields) -> Awaitable[object]:
    number = None if fields.get("disk") is None else body.whole(fields, "disk")
    return while_connected(call.request, call.backend.storage.copy(_folder(fields), number=number))


def _grow(call: Call, fields: Fields) -> Awaitable[object]:
    return call.backend.storage.grow(body.whole(fields, "size"), index=body.whole(fields, "disk", 0))


def _cancel(call: Call, _fields: Fields) -> Awaitable[object]:
    return call.backend.storage.cancel()


def _folder(fields: Fields) -> Path:
    folder = Path(_needed(fields, "folder"))
    if not folder.is_absolute():
        raise UsageError("invalid-body", "folder must be an absolute path")
    return folder


def _needed(fields: Fields, name: str) -> str:
    value = body.text(fields, name)
    if value is None:
        raise UsageError("invalid-body", f"{name} is missing")
    return value


def _serve(work: Work, answer: Answer, *, takes: str = "", here_only: bool = False) -> Handler:
    """Return what serves a request: the fields that it may have are those of the schema ``takes``."""
    allowed = tuple(SCHEMAS[takes]["properties"]) if takes else ()

    async def handle(call: Call) -> web.StreamResponse:
        if here_only and call.from_page:
            raise RefusedError(403, "socket-only", "this is possible on the host only", hint="use qd there")
        fields = await body.read_object(call.request, allowed) if takes else {}
        made = await work(call, fields)
        return web.json_response(made, status=answer.status) if answer.schema else web.Response(status=answer.status)

    return handle


def _get(path: str, work: Work, operation: str, *, summary: str, answer: Answer) -> Route:
    return Route(
        method="GET", path=path, handler=_serve(work, answer), access=Access.VIEW, operation=operation, summary=summary, answer=answer
    )


def _post(path: str, work: Work, operation: str, *, summary: str, takes: str, answer: Answer, here_only: bool = False) -> Route:
    return Route(
        method="POST",
        path=path,
        handler=_serve(work, answer, takes=takes, here_only=here_only),
        access=Access.CONTROL,
        operation=operation,
        summary=summary + ("; on the Unix socket only" if here_only else ""),
        answer=answer,
        body=takes,
    )


_SNAPSHOT = "The snapshot."

ROUTES = (
    _get(
        "/snapshots", _snapshots, "getSnapshots", summary="The snapshots, oldest first", answer=Answer(200, "The snapshots.", "Snapshots")
    ),
    _get("/disks", _disks, "getDisks", summary="The disks that the machine writes", answer=Answer(200, "The disks.", "Disks")),
    _post(
        "/snapshots",
        _create,
        "createSnapshot",
        summary="Make a snapshot, named by the time unless a tag is given",
        takes="NewSnapshot",
        answer=Answer(201, _SNAPSHOT, "Snapshot"),
    ),
    _post(
        "/snapshots/restore",
        _restore,
        "restoreSnapshot",
        summary="Go back to a snapshot; what came after it is lost",
        takes="Tag",
        answer=Answer(200, _SNAPSHOT, "Snapshot"),
    ),
    _post("/snapshots/remove", _remove, "removeSnapshot", summary="Delete a snapshot", takes="Tag", answer=Answer(204, "It is gone.")),
    _post(
        "/backup",
        _back_up,
        "backupMachine",
        summary="Add a backup to a folder of the host",
        takes="NewBackup",
        answer=Answer(201, "The backup.", "Backup"),
        here_only=True,
    ),
    _post(
        "/clone",
        _clone,
        "cloneMachine",
        summary="Make another machine of this one",
        takes="NewClone",
        answer=Answer(201, "The new machine.", "Clone"),
        here_only=True,
    ),
    _post(
        "/copy",
        _copy,
        "copyDisks",
        summary="Copy disks as they are at one moment to a new folder of the host; ends when the client hangs up",
        takes="NewCopy",
        answer=Answer(201, "The copies.", "Copies"),
        here_only=True,
    ),
    _post(
        "/disks/grow",
        _grow,
        "growDisk",
        summary="Make a disk larger",
        takes="NewSize",
        answer=Answer(200, "The disk as it is now.", "Size"),
    ),
    _post(
        "/storage/cancel",
        _cancel,
        "cancelStorage",
        summary="End the operation on disks that is under way",
        takes="Nothing",
        answer=Answer(204, "Nothing is under way any more."),
    ),
)
