"""``RUN --mount``, ``--device``, ``--network`` and ``--security``.

Source: frontend/dockerfile/instructions (commands_runmount.go, commands_rundevice.go, commands_runnetwork.go, commands_runsecurity.go) of
BuildKit 0.34. BuildKit judges the fields of a mount only in stages that the target needs, after variables are replaced; so
``check_run`` takes what it takes at once, and ``parse_mount`` the rest.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from quarterdeck.build.dockerfile.errors import SyntaxFault
from quarterdeck.build.dockerfile.model import Instruction

_NETWORKS = ("default", "none", "host")
_SECURITIES = ("sandbox", "insecure")
_TRUE = frozenset(("1", "t", "T", "TRUE", "true", "True"))
_FALSE = frozenset(("0", "f", "F", "FALSE", "false", "False"))
# go-units takes what Go takes for a number before the unit.
_NUMBER = r"\+?(?:\d+(?:_\d+)*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_SIZE = re.compile(rf"({_NUMBER}) ?(?:([kKmMgGtTpP])(?:[iI]?[bB])?|[bB])?", re.ASCII)
# Options of buildah alone: internal/volumes of buildah 1.39, for SELinux, ownership and propagation.
_OF_BUILDAH_TEXT = """
    z U relabel no-dereference bind-nonrecursive bind-propagation nosuid nodev noexec shared rshared private rprivate slave rslave
    consistency tmpcopyup notmpcopyup tmpfs-mode tmpfs-size
"""
_OF_BUILDAH = frozenset(_OF_BUILDAH_TEXT.lower().split())
_QUOTED = re.compile(r'"((?:[^"]|"")*)"(?=,|\Z)')


class MountType(StrEnum):
    """What is mounted."""

    BIND = "bind"
    CACHE = "cache"
    TMPFS = "tmpfs"
    SECRET = "secret"  # noqa: S105 - the name of a kind of mount
    SSH = "ssh"


class Sharing(StrEnum):
    """How builds at the same time share a cache."""

    SHARED = "shared"
    PRIVATE = "private"
    LOCKED = "locked"


@dataclass(frozen=True)
class Mount:
    """One ``--mount``; empty and None are what was not written. ``source_from`` is a stage, image or context, ``size`` bytes."""

    type: MountType = MountType.BIND
    source_from: str = ""
    source: str = ""
    target: str = ""
    id: str = ""
    sharing: Sharing | None = None
    readonly: bool = True
    required: bool = False
    size: int | None = None
    mode: int | None = None
    uid: int | None = None
    gid: int | None = None
    env: str | None = None


@dataclass(frozen=True)
class Device:
    """One ``--device``: a CDI name, and whether the step fails without it."""

    name: str
    required: bool = False


def check_mounts(instruction: Instruction, expand: Callable[[str], str]) -> None:
    """Refuse mounts of RUN that no builder takes in a stage that is needed; ``expand`` replaces the variables of one value.

    Raises:
        SyntaxFault: a field is wrong, or ``expand`` refuses.
    """
    for value in instruction.flag_values("mount"):
        _parse([field for field in csv_fields(value) if field.partition("=")[0].lower() not in _OF_BUILDAH], expand)


def devices_of(instruction: Instruction) -> tuple[Device, ...]:
    """Return the devices of RUN.

    Raises:
        SyntaxFault: a field is wrong.
    """
    return tuple(parse_device(value) for value in instruction.flag_values("device"))


def check_run(instruction: Instruction) -> None:
    """Refuse flags of RUN that BuildKit refuses whatever is built.

    Raises:
        SyntaxFault: a network or security mode is unknown, a device is wrong, a mount has no fields or a variable in ``from``.
    """
    for value in instruction.flag_values("mount"):
        for field in csv_fields(value):
            key, equals, word = field.partition("=")
            if equals and key.lower() == "from" and "$" in word[:-1]:
                raise SyntaxFault("--mount=from=... takes no variables", hint="give the stage a name of its own: FROM $NAME AS stage")
    _check_mode(instruction, "network", _NETWORKS)
    _check_mode(instruction, "security", _SECURITIES)
    devices_of(instruction)


def _check_mode(instruction: Instruction, name: str, known: tuple[str, ...]) -> None:
    value = instruction.flag(name)
    if value is not None and value not in known:
        raise SyntaxFault(f"--{name} is {' or '.join(known)}, not '{value}'")


def csv_fields(text: str) -> tuple[str, ...]:
    """Return the fields of one line of comma-separated values, with quotes as in RFC 4180.

    Raises:
        SyntaxFault: a quote is in the wrong place or has no end, or there is nothing.
    """
    if not text:
        raise SyntaxFault("the flag has an empty value")
    fields: list[str] = []
    at = 0
    while True:
        if text.startswith('"', at):
            match = _QUOTED.match(text, at)
            if match is None:
                raise SyntaxFault(f"a quote in '{text}' has no end or something after it")
            fields.append(match[1].replace('""', '"'))
            at = match.end()
        else:
            end = text.find(",", at)
            field = text[at:] if end < 0 else text[at:end]
            if '"' in field:
                raise SyntaxFault(f"a quote stands inside the field '{field}'", hint='quote the whole field: "key=value"')
            fields.append(field)
            at += len(field)
        if at >= len(text):
            return tuple(fields)
        at += 1


def parse_mount(text: str, expand: Callable[[str], str] = str) -> Mount:
    """Return the mount that ``type=cache,target=/x`` is.

    Args:
        text: the value of ``--mount``.
        expand: replaces variables in the value of a field.

    Raises:
        SyntaxFault: a field is unknown, has a wrong value, or does not go with the type.
    """
    return _parse(csv_fields(text), expand)


def _parse(fields: Iterable[str], expand: Callable[[str], str]) -> Mount:
    mount = _Builder()
    for field in fields:
        key, equals, value = field.partition("=")
        mount.add(key.lower(), expand(value) if equals else None, field)
    return mount.result()


class _Builder:
    """Collects the fields of a mount in their order: ``required`` and ``size`` look at the type before them."""

    def __init__(self) -> None:
        self._type = MountType.BIND
        self._texts: dict[str, str] = {}
        self._numbers: dict[str, int] = {}
        self._readonly: bool | None = None
        self._required = False
        self._sharing: Sharing | None = None

    def add(self, key: str, value: str | None, field: str) -> None:
        """Take one field; ``value`` is None where it has no ``=``."""
        name = {"src": "source", "dst": "target", "destination": "target", "ro": "readonly", "rw": "readwrite"}.get(key, key)
        if name in ("readonly", "readwrite", "required"):
            self._switch(name, "true" if value is None else value, key)
        elif value is None:
            raise SyntaxFault(f"'{field}' in --mount is not key=value")
        elif name in ("from", "source", "target", "id", "env"):
            self._texts[name] = value
        elif name in ("mode", "uid", "gid"):
            self._numbers[name] = _unsigned(value, name)
        elif name == "size":
            self._only(name, (MountType.TMPFS,))
            self._numbers[name] = _size(value)
        else:
            self._choose(name, value, field)

    def _choose(self, name: str, value: str, field: str) -> None:
        try:
            if name == "type":
                self._type = MountType(value.lower())
            elif name == "sharing":
                self._sharing = Sharing(value.lower())
            else:
                raise SyntaxFault(f"'{field}' is no field of --mount")
        except ValueError:
            known: type[StrEnum] = MountType if name == "type" else Sharing
            raise SyntaxFault(f"{name} in --mount is {', '.join(known)}, not '{value}'") from None

    def _switch(self, name: str, value: str, key: str) -> None:
        if name == "required":
            self._only(name, (MountType.SECRET, MountType.SSH))
        if value not in _TRUE | _FALSE:
            raise SyntaxFault(f"{key} in --mount is true or false, not '{value}'")
        if name == "required":
            self._required = value in _TRUE
        else:
            self._readonly = (value in _TRUE) == (name == "readonly")

    def _only(self, name: str, types: tuple[MountType, ...]) -> None:
        if self._type not in types:
            raise SyntaxFault(f"a mount of type {self._type} has no {name}", hint=f"{' and '.join(types)} have one, named before it")

    def result(self) -> Mount:
        """Return the mount, fields that depend on each other checked."""
        for name in ("mode", "uid", "gid"):
            if name in self._numbers and self._type in (MountType.BIND, MountType.TMPFS):
                raise SyntaxFault(f"a mount of type {self._type} has no {name}")
        if self._type is MountType.SECRET:
            self._check_secret()
        if self._sharing and self._type is not MountType.CACHE:
            raise SyntaxFault(f"a mount of type {self._type} has no sharing", hint="only caches are shared")
        return Mount(
            type=self._type,
            source_from=self._texts.get("from", ""),
            source=self._texts.get("source", ""),
            target=self._texts.get("target", ""),
            id=self._texts.get("id", ""),
            sharing=self._sharing,
            readonly=self._type not in (MountType.CACHE, MountType.TMPFS) if self._readonly is None else self._readonly,
            required=self._required,
            size=self._numbers.get("size"),
            mode=self._numbers.get("mode"),
            uid=self._numbers.get("uid"),
            gid=self._numbers.get("gid"),
            env=self._texts.get("env"),
        )

    def _check_secret(self) -> None:
        if self._texts.get("from"):
            raise SyntaxFault("a secret has no from")
        if not any(self._texts.get(name) for name in ("source", "target", "id")):
            raise SyntaxFault("a secret needs an id, source or target")
        if self._texts.get("source") and self._texts.get("id"):
            raise SyntaxFault("a secret has an id or a source, not both")


def _unsigned(value: str, name: str) -> int:
    base, digits = (8, r"[0-7]+") if name == "mode" else (10, r"\d+")
    number = int(value, base) if len(value) <= 32 and re.fullmatch(digits, value, re.ASCII) else -1
    if not 0 <= number < 2**32:
        raise SyntaxFault(f"{name} in --mount is {'an octal' if base == 8 else 'a'} number, not '{value}'")
    return number


def _size(value: str) -> int:
    match = _SIZE.fullmatch(value)
    size = float(match[1]) * 1024 ** "bkmgtp".index((match[2] or "b").lower()) if match else math.inf
    if size >= 2**63:
        raise SyntaxFault(f"size in --mount is a size, not '{value}'", hint="sizes are written like 64m or 1g")
    return int(size)


def parse_device(text: str) -> Device:
    """Return the device that ``vendor.com/class=name,required`` or ``name=...`` is.

    Raises:
        SyntaxFault: a field is unknown, or the name is given twice.
    """
    name, required = "", False
    for field in csv_fields(text):
        key, equals, value = field.partition("=")
        if key.lower() == "required":
            if equals and value not in _TRUE | _FALSE:
                raise SyntaxFault(f"required in --device is true or false, not '{value}'")
            required = not equals or value in _TRUE
        elif name:
            raise SyntaxFault(f"'{field}' in --device follows the name '{name}'")
        else:
            name = value if equals and key.lower() == "name" else field
    return Device(name, required)
