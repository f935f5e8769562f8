"""A user's own user-data joined with ours.

cloud-config is merged here, by rules that can be said in one line, since those of cloud-init differ between its versions. Everything
else that cloud-init reads goes beside ours into one MIME message:
https://docs.cloud-init.io/en/latest/explanation/format.html.
"""

from __future__ import annotations

import io
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from quarterdeck.errors import UsageError

CLOUD_CONFIG = "#cloud-config"
_TYPES = (
    ("#!", "x-shellscript"),
    ("#include-once", "x-include-once-url"),
    ("#include", "x-include-url"),
    ("#cloud-boothook", "cloud-boothook"),
    ("#part-handler", "part-handler"),
    ("## template: jinja", "jinja2"),
)
"""What a text begins with, and its MIME type below ``text/``."""


def is_cloud_config(text: str) -> bool:
    """Whether ``text`` is cloud-config, by its first line."""
    return text.lstrip().split("\n", 1)[0].strip() == CLOUD_CONFIG


def merge(ours: dict[str, Any], text: str) -> dict[str, Any]:
    """Return ``ours`` with the cloud-config ``text`` laid over it: mappings are merged, lists are joined, other values replace ours.

    Raises:
        UsageError: it is no YAML mapping.
    """
    yaml = YAML(typ="safe", pure=True)
    yaml.version = "1.1"  # what cloud-init's own reader speaks: a bare "no" is false
    try:
        theirs = yaml.load(io.StringIO(text))
    except (YAMLError, ValueError, TypeError, RecursionError) as error:
        raise _invalid(str(error).replace("\n", " ")[:300]) from None
    if theirs is None:
        return ours
    if not isinstance(theirs, dict):
        raise _invalid("it is not a mapping of keys and values")
    merged: dict[str, Any] = _merged(ours, theirs)
    return merged


def multipart(ours: str, text: str) -> str:
    """Return one message with both parts.

    Raises:
        UsageError: cloud-init would not know what ``text`` is.
    """
    kind = next((kind for start, kind in _TYPES if text.startswith(start)), None)
    if kind is None:
        raise UsageError(
            "unknown-user-data",
            "'user_data' is nothing that cloud-init reads",
            reason="its first line says what it is, and this one is not known",
            hint=f"begin it with {CLOUD_CONFIG}, or with #! for a script",
        )
    # A fixed boundary: the same spec gives the same seed.
    message = MIMEMultipart(boundary="quarterdeck-part-of-user-data")
    for name, part, subtype in (("cloud-config", ours, "cloud-config"), ("own", text, kind)):
        attached = MIMEText(part, subtype, "utf-8")
        attached.add_header("Content-Disposition", "attachment", filename=name)
        message.attach(attached)
    return message.as_string()


def _merged(ours: Any, theirs: Any) -> Any:
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return {**ours, **{key: _merged(ours[key], value) if key in ours else value for key, value in theirs.items()}}
    if isinstance(ours, list) and isinstance(theirs, list):
        return [*ours, *theirs]
    return theirs


def _invalid(reason: str) -> UsageError:
    return UsageError("invalid-user-data", "'user_data' cannot be read as cloud-config", reason=reason, hint="check it: cloud-init schema")
