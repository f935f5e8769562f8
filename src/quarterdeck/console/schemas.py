"""JSON Schemas (draft 2020-12, as OpenAPI 3.1 uses them) of what the API takes and gives."""

from __future__ import annotations

from typing import Any

from quarterdeck.console import body

Schema = dict[str, Any]


def _object(properties: dict[str, Schema], *, optional: tuple[str, ...] = (), closed: bool = False) -> Schema:
    schema: Schema = {"type": "object", "properties": properties, "required": [name for name in properties if name not in optional]}
    return {**schema, "additionalProperties": False} if closed else schema


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _or_null(schema: Schema) -> Schema:
    return {"oneOf": [schema, {"type": "null"}]}


_TEXT: Schema = {"type": "string"}
_MAYBE_TEXT: Schema = {"type": ["string", "null"]}
_NUMBER: Schema = {"type": "number"}
_WHOLE: Schema = {"type": "integer"}
_MAYBE_WHOLE: Schema = {"type": ["integer", "null"]}
_FLAG: Schema = {"type": "boolean"}
_ANY: Schema = {"type": "object"}
_TIME: Schema = {"type": "number", "description": "Seconds since the epoch."}
_STATE: Schema = {
    "type": "string",
    "enum": [
        "created",
        "preparing",
        "starting",
        "running",
        "ready",
        "paused",
        "stopping",
        "stopped",
        "crashed",
        "panicked",
        "io-error",
        "unknown",
    ],
}
_STEP = {
    "step": _TEXT,
    "status": {"type": "string", "enum": ["running", "done", "failed"]},
    "detail": _TEXT,
    "done": _MAYBE_WHOLE,
    "total": _MAYBE_WHOLE,
    "unit": _TEXT,
}
_RATE: Schema = {"type": ["number", "null"], "description": "Bytes per second; null when nobody counts them."}
_SAMPLE = {
    "time": _TIME,
    "cpu": {"type": "number", "description": "Percent of one core times the cores used."},
    "memory": {"type": "number", "description": "Bytes resident."},
    "disk_read": _RATE,
    "disk_write": _RATE,
    "net_rx": _RATE,
    "net_tx": _RATE,
}
_PORT = _object(
    {"address": _TEXT, "host": _WHOLE, "guest": _WHOLE, "protocol": {"type": "string", "enum": ["tcp", "udp"]}, "count": _WHOLE}
)
_GUEST = {
    "hostname": _MAYBE_TEXT,
    "os": _MAYBE_TEXT,
    "kernel": _MAYBE_TEXT,
    "interfaces": _list(_object({"name": _TEXT, "mac": _MAYBE_TEXT, "addresses": _list(_TEXT)}, optional=("mac", "addresses"))),
    "users": _list({}),
    "filesystems": _list({}),
    "time_offset": {"type": ["number", "null"]},
}
_MACHINE = {
    "name": _TEXT,
    "state": _STATE,
    "since": _TIME,
    "reason": _MAYBE_TEXT,
    "arch": _TEXT,
    "accelerator": _MAYBE_TEXT,
    "accelerator_reason": _MAYBE_TEXT,
    "cpus": _MAYBE_WHOLE,
    "memory": {"type": ["integer", "null"], "description": "Bytes."},
    "boot": _MAYBE_TEXT,
    "uuid": _MAYBE_TEXT,
    "pid": _MAYBE_WHOLE,
    "viewer": _MAYBE_TEXT,
    "viewer_open": {"type": "boolean", "description": "Whether the viewer port asks nobody who they are."},
    "display": {"type": "string", "enum": ["vnc", "spice", "none"]},
    "serial": _FLAG,
    "agent": _FLAG,
    "login": _or_null(_object({"user": _MAYBE_TEXT, "password": _MAYBE_TEXT})),
    "ports": _list(_PORT),
    "steps": _list(_object(_STEP, optional=("detail", "done", "total", "unit"))),
    "error": _or_null(_ref("Problem")),
    "view_only": _FLAG,
    "version": _TEXT,
}

_BYTES: Schema = {"type": "integer", "description": "Bytes."}
_SNAPSHOT = {
    "tag": _TEXT,
    "created": _TIME,
    "memory": _FLAG,
    "consistency": {"type": "string", "enum": ["stopped", "memory", "agent", "crash"]},
    "disks": _list(_TEXT),
}
_DISK = {
    "disk": _WHOLE,
    "name": _TEXT,
    "format": _TEXT,
    "size": {"type": "integer", "description": "Bytes that the guest sees."},
    "used": {"type": "integer", "description": "Bytes that it takes on the host, without what it stands on."},
    "snapshots": {"type": "boolean", "description": "Whether it can hold snapshots."},
    "path": {"type": ["string", "null"], "description": "Null for view-only sessions."},
}
_BACKUP = {
    "id": _TEXT,
    "machine": _TEXT,
    "created": _TIME,
    "parent": _MAYBE_TEXT,
    "consistency": {"type": "string", "enum": ["stopped", "agent", "crash"]},
    "kind": {"type": "string", "enum": ["full", "incremental"]},
    "size": _BYTES,
    "disks": _list(_TEXT),
    "left_out": _list(_TEXT),
}

SCHEMAS: dict[str, Schema] = {
    "Machine": _object(_MACHINE),
    "Metrics": _object({"interval": _NUMBER, "samples": _list(_ref("Sample"))}),
    "Sample": _object(_SAMPLE),
    "Guest": _object({"available": _FLAG, **_GUEST}, optional=tuple(_GUEST)),
    "Session": _object({"view_only": _FLAG}),
    "Link": _object({"url": _TEXT, "path": _TEXT}),
    "Problem": _object({"key": _TEXT, "message": _TEXT, "reason": _TEXT, "hint": _TEXT, "exit_code": _WHOLE}),
    "Error": _object({"error": _ref("Problem")}),
    "Description": _object({"openapi": _TEXT, "info": _ANY, "paths": _ANY, "components": _ANY}),
    "Event": {
        "description": "The data of an event, by its type.",
        "oneOf": [
            _object({"time": _TIME, **_STEP}, optional=("detail", "done", "total", "unit")) | {"title": "step"},
            _object({"time": _TIME, "state": _STATE, "reason": _MAYBE_TEXT}) | {"title": "state"},
            _object({"time": _TIME, "level": {"type": "string", "enum": ["info", "warning", "error"]}, "text": _TEXT})
            | {"title": "message"},
            _object({"time": _TIME, "name": _TEXT, "data": _ANY}) | {"title": "qemu"},
            _object(_SAMPLE) | {"title": "metrics"},
            _object({"time": _TIME, "available": _FLAG, **_GUEST}, optional=tuple(_GUEST)) | {"title": "guest"},
        ],
    },
    "Snapshots": _object({"snapshots": _list(_ref("Snapshot"))}),
    "Snapshot": _object(_SNAPSHOT),
    "Disks": _object({"disks": _list(_ref("Disk"))}),
    "Disk": _object(_DISK),
    "NewSnapshot": _object({"tag": _MAYBE_TEXT, "memory": {"type": "boolean", "default": False}}, optional=("tag", "memory"), closed=True),
    "Tag": _object({"tag": _TEXT}, closed=True),
    "UsbDevice": _object(
        {
            "vendor": {"type": "string", "description": "Four hexadecimal digits; empty where only the place counts."},
            "product": {"type": "string", "description": "Four hexadecimal digits; empty where only the place counts."},
            "bus": _MAYBE_WHOLE,
            "port": {"type": "string", "description": "The path of ports, such as 1.4; empty when any will do."},
            "name": _TEXT,
            "plugged": {"type": "boolean", "description": "Whether it is plugged into the host."},
            "attached": {"type": "boolean", "description": "Whether the guest has it."},
        }
    ),
    "UsbDevices": _object({"devices": _list(_ref("UsbDevice"))}),
    "UsbChoice": _object({"device": {"type": "string", "description": "VENDOR:PRODUCT or BUS.PORT."}}, closed=True),
    "NewBackup": _object({"folder": _TEXT, "full": {"type": "boolean", "default": False}}, optional=("full",), closed=True),
    "Backup": _object(_BACKUP),
    "NewClone": _object(
        {"name": _TEXT, "full": {"type": "boolean", "default": False}, "ports": {"type": ["array", "null"], "items": _TEXT}},
        optional=("full", "ports"),
        closed=True,
    ),
    "Clone": _object({"name": _TEXT, "clashes": _list(_TEXT)}),
    "NewCopy": _object({"folder": _TEXT, "disk": {"type": ["integer", "null"], "minimum": 0}}, optional=("disk",), closed=True),
    "Copies": _object({"consistency": _TEXT, "disks": _list(_object({"disk": _WHOLE, "file": _TEXT, "size": _BYTES}))}),
    "NewSize": _object({"disk": {"type": "integer", "default": 0}, "size": _BYTES}, optional=("disk",), closed=True),
    "Size": _object({"disk": _WHOLE, "size": _BYTES}),
    "Nothing": _object({}, closed=True),
    "Timeout": _object(
        {"timeout": {"type": ["number", "null"], "minimum": 0, "maximum": body.MAX_TIMEOUT, "description": "Seconds."}},
        optional=("timeout",),
        closed=True,
    ),
    "Keys": _object(
        {"keys": {"type": "array", "items": {"type": "string", "pattern": body.KEY_NAME}, "minItems": 1, "maxItems": body.MAX_KEYS}},
        closed=True,
    ),
    "NewLink": _object({"view_only": {"type": "boolean", "default": False}}, optional=("view_only",), closed=True),
}
