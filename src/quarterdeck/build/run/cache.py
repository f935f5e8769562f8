"""Caches for several platforms: each has a reference of its own, else the last one to finish would overwrite the others.

Forms: docs/reference of ``docker buildx build`` (``type=registry,ref=NAME``, ``type=local,dest=DIR``, ``type=gha,scope=NAME``).
"""

from __future__ import annotations

from quarterdeck.build.oci.reference import Reference
from quarterdeck.build.platform import Platform
from quarterdeck.errors import UsageError

_FOLDERS = ("src", "dest")


def for_platform(text: str, platform: Platform, *, several: bool) -> str:
    """Return a ``--cache-to`` or ``--cache-from`` for one platform of ``several``; for a single one it stays as it is.

    A reference gets a tag that ends with ``-linux-arm64``, a folder a subfolder, a scope the same ending.
    """
    if not several:
        return text
    if "=" not in text:
        return _reference(text, platform)
    return ",".join(_field(field, platform) for field in text.split(","))


def _field(field: str, platform: Platform) -> str:
    name, equals, value = field.partition("=")
    if name == "ref":
        value = _reference(value, platform)
    elif name in _FOLDERS:
        value = f"{value.rstrip('/')}/{platform.tag}"
    elif name in ("scope", "name", "prefix"):
        value = f"{value}-{platform.tag}"
    return f"{name}{equals}{value}"


def _reference(text: str, platform: Platform) -> str:
    try:
        reference = Reference.parse(text)
    except UsageError:
        return text  # the engine will say what is wrong with it
    if reference.digest:
        return text  # one fixed content, which nothing can overwrite
    name, tag = text.removesuffix(f":{reference.tag}") if reference.tag else text, reference.tag or "cache"
    return f"{name}:{tag}-{platform.tag}"
