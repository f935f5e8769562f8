"""Requests about a machine's disks. They answer when the work is done; progress comes as events of the steps ``backup`` and ``clone``.

What makes files outside of the machine is for the Unix socket alone: a page must not choose folders of the host.
"""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

from quarterdeck.console import body
from quarterdeck.console.problems import RefusedError
from quarterdeck.console.route import Access, Answer, Call, Handler, Route
from quarterdeck.errors import UsageError


async def snapshots(call: Call) -> web.StreamResponse:
    """List the snapshots."""
    return web.json_response({"snapshots": call.backend.storage.snapshots()})


async def create(call: Call) -> web.StreamResponse:
    """Make a snapshot."""
    fields = await body.read_object(call.request, ("tag", "memory"))
    made = await call.backend.storage.create_snapshot(body.text(fields, "tag"), memory=body.flag(fields, "memory"))
    return web.json_response(made, status=201)


async def restore(call: Call) -> web.StreamResponse:
    """Go back to a snapshot."""
    fields = await body.read_object(call.request, ("tag",))
    return web.json_response(await call.backend.storage.restore_snapshot(_needed(fields, "tag")))


async def remove(call: Call) -> web.StreamResponse:
    """Delete a snapshot."""
    fields = await body.read_object(call.request, ("tag",))
    await call.backend.storage.remove_snapshot(_needed(fields, "tag"))
    return web.Response(status=204)


async def backup(call: Call) -> web.StreamResponse:
    """Add a backup to a folder."""
    _only_here(call)
    fields = await body.read_object(call.request, ("folder", "full"))
    folder = Path(_needed(fields, "folder"))
    if not folder.is_absolute():
        raise UsageError("invalid-body", "folder must be an absolute path")
    return web.json_response(await call.backend.storage.back_up(folder, full=body.flag(fields, "full")), status=201)


async def clone(call: Call) -> web.StreamResponse:
    """Make another machine of this one."""
    _only_here(call)
    fields = await body.read_object(call.request, ("name", "full", "ports"))
    made = await call.backend.storage.clone(_needed(fields, "name"), full=body.flag(fields, "full"), ports=body.texts(fields, "ports"))
    return web.json_response(made, status=201)


async def grow(call: Call) -> web.StreamResponse:
    """Make a disk larger."""
    fields = await body.read_object(call.request, ("disk", "size"))
    return web.json_response(await call.backend.storage.grow(body.whole(fields, "size"), index=body.whole(fields, "disk", 0)))


async def cancel(call: Call) -> web.StreamResponse:
    """End the operation that is under way."""
    await body.read_object(call.request, ())
    await call.backend.storage.cancel()
    return web.Response(status=204)


def _needed(fields: dict[str, object], name: str) -> str:
    value = body.text(fields, name)
    if value is None:
        raise UsageError("invalid-body", f"{name} is missing")
    return value


def _only_here(call: Call) -> None:
    if call.from_page:
        raise RefusedError(403, "socket-only", "this is possible on the host only", hint="use qd there")


def _post(path: str, handler: Handler, operation: str, *, summary: str, takes: str, answer: Answer) -> Route:
    return Route(
        method="POST", path=path, handler=handler, access=Access.CONTROL, operation=operation, summary=summary, answer=answer, body=takes
    )


ROUTES = (
    Route(
        method="GET",
        path="/snapshots",
        handler=snapshots,
        access=Access.VIEW,
        operation="getSnapshots",
        summary="The snapshots, oldest first",
        answer=Answer(200, "The snapshots.", "Snapshots"),
    ),
    _post(
        "/snapshots",
        create,
        "createSnapshot",
        summary="Make a snapshot, named by the time unless a tag is given",
        takes="NewSnapshot",
        answer=Answer(201, "The snapshot.", "Snapshot"),
    ),
    _post(
        "/snapshots/restore",
        restore,
        "restoreSnapshot",
        summary="Go back to a snapshot; what came after it is lost",
        takes="Tag",
        answer=Answer(200, "The snapshot.", "Snapshot"),
    ),
    _post(
        "/snapshots/remove",
        remove,
        "removeSnapshot",
        summary="Delete a snapshot",
        takes="Tag",
        answer=Answer(204, "It is gone."),
    ),
    _post(
        "/backup",
        backup,
        "backupMachine",
        summary="Add a backup to a folder of the host; on the Unix socket only",
        takes="NewBackup",
        answer=Answer(201, "The backup.", "Backup"),
    ),
    _post(
        "/clone",
        clone,
        "cloneMachine",
        summary="Make another machine of this one; on the Unix socket only",
        takes="NewClone",
        answer=Answer(201, "The new machine.", "Clone"),
    ),
    _post(
        "/disks/grow",
        grow,
        "growDisk",
        summary="Make a disk larger",
        takes="NewSize",
        answer=Answer(200, "The disk as it is now.", "Size"),
    ),
    _post(
        "/storage/cancel",
        cancel,
        "cancelStorage",
        summary="End the operation on disks that is under way",
        takes="Nothing",
        answer=Answer(204, "Nothing is under way any more."),
    ),
)
