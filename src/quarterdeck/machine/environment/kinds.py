"""How the values of variables are read. Every reader raises ValueError with what the value must be."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from quarterdeck.core.size import parse_size
from quarterdeck.errors import UsageError

_YES = frozenset({"y", "yes", "true", "1", "on", "enable", "enabled"})
_NO = frozenset({"n", "no", "none", "false", "0", "off", "disable", "disabled"})
_GIB, _MIB = 1 << 30, 1 << 20
_SMALLEST_DISK = 100 * _MIB
_BARE_GIB = 130
"""Memory without a unit is in GiB below this, in MiB from there on."""
_PORT = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?(?:/(tcp|udp))?", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True)
class Kind:
    """A kind of value: how documents write it, and how it is read."""

    form: str
    read: Callable[[str], object]


@dataclass(frozen=True)
class PortWord:
    """One word of a list of ports: the first and last one, and the protocol, empty for both."""

    first: int
    last: int
    protocol: str = ""

    @property
    def span(self) -> str:
        """The ports as the port syntax has them."""
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"


def strip(value: str) -> str:
    """Return ``value`` without spaces around it and one pair of quotes, which lists in Compose files leave in."""
    value = value.strip()
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        value = value[1:-1].strip()
    return value


def is_no(value: str) -> bool:
    """Whether ``value`` is one of the words for no."""
    return value.lower() in _NO


def is_yes(value: str) -> bool:
    """Whether ``value`` is one of the words for yes."""
    return value.lower() in _YES


def choice(*words: str) -> Kind:
    """Return the kind whose values are ``words``, in letters of any case."""

    def read(value: str) -> str:
        if value.lower() not in words:
            raise ValueError(f"must be one of {', '.join(words)}")
        return value.lower()

    return Kind(", ".join(words), read)


def whole(least: int, most: int) -> Kind:
    """Return the kind of whole numbers from ``least`` to ``most``."""

    def read(value: str) -> int:
        if not re.fullmatch(r"\d{1,9}", value, re.ASCII) or not least <= int(value) <= most:
            raise ValueError(f"must be a whole number from {least} to {most}")
        return int(value)

    return Kind(f"{least} to {most}", read)


def matching(pattern: str, form: str) -> Kind:
    """Return the kind of texts that match ``pattern``, which ``form`` describes."""

    def read(value: str) -> str:
        if not re.fullmatch(pattern, value, re.ASCII):
            raise ValueError(f"must be {form}")
        return value

    return Kind(form, read)


def _text(value: str) -> str:
    if "\0" in value:
        raise ValueError("must not hold a NUL character")
    return value


def _flag(value: str) -> bool:
    if not is_yes(value) and not is_no(value):
        raise ValueError("must be Y or N")
    return is_yes(value)


def _cores(value: str) -> int | str:
    if value.lower() in {"half", "max"}:
        return value.lower()
    if not re.fullmatch(r"\d{1,4}", value, re.ASCII) or not 1 <= int(value) <= 1024:
        raise ValueError("must be a number from 1 to 1024, half or max")
    return int(value)


def _size(value: str, unit: int) -> int:
    """Return the bytes of ``value``; a number alone counts in ``unit``."""
    try:
        if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", value, re.ASCII):
            return int(float(value) * unit)
        return parse_size(value)
    except UsageError:
        raise ValueError("must be a size such as 512M or 20G, half or max") from None


def _memory(value: str) -> int | str:
    if value.lower() in {"half", "max"}:
        return value.lower()
    bare = re.fullmatch(r"\d{1,9}", value, re.ASCII)
    return _size(value, _GIB if bare and int(value) < _BARE_GIB else _MIB if bare else _GIB)


def _disk(value: str) -> int | str:
    if value.lower() in {"half", "max"}:
        return value.lower()
    size = _size(value, _GIB)
    if size < _SMALLEST_DISK:
        raise ValueError("must be at least 100M")
    return size


def _share(value: str) -> str | int:
    if re.fullmatch(r"[1-9]\d?%", value, re.ASCII):
        return value
    return _size(value, _MIB)


def _percent(value: str) -> int:
    """Percents of the old image have a fraction, which nobody needs."""
    plain = value.removesuffix("%")
    if not re.fullmatch(r"\d{1,2}(\.\d{1,9})?", plain, re.ASCII) or round(float(plain)) not in range(1, 100):
        raise ValueError("must be a number from 1 to 99")
    return round(float(plain))


def _ports(value: str) -> tuple[PortWord, ...]:
    return tuple(_port(word) for word in re.split(r"[\s,]+", value) if word)


def _port(word: str) -> PortWord:
    match = _PORT.fullmatch(word)
    if match is None:
        raise ValueError(f"must be ports such as 22,80/tcp,53/udp; '{word}' is none")
    first, last = int(match[1]), int(match[2] or match[1])
    if not 1 <= first <= last <= 65535:
        raise ValueError(f"must be ports between 1 and 65535; '{word}' is none")
    return PortWord(first, last, (match[3] or "").lower())


def _words(value: str) -> tuple[str, ...]:
    return tuple(word for word in re.split(r"[\s,]+", value) if word)


def _path(value: str) -> str:
    if not value.startswith("/") or "\0" in value:
        raise ValueError("must be an absolute path in the container")
    return value


def _mac(value: str) -> str:
    plain = value.replace("-", ":")
    if not re.fullmatch(r"[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}", plain, re.ASCII):
        raise ValueError("must be a MAC address such as 02:11:32:aa:bb:cc")
    return plain.lower()


TEXT = Kind("text", _text)
FLAG = Kind("Y or N", _flag)
CORES = Kind("number, half or max", _cores)
MEMORY = Kind("size, half or max", _memory)
SIZE = Kind("size", lambda value: _size(value, _MIB))
SHARE = Kind("size or percent", _share)
PERCENT = Kind("1 to 99", _percent)
DISK = Kind("size, half or max", _disk)
PORTS = Kind("ports such as 22,80/tcp,53/udp", _ports)
FORWARDS = Kind("[ADDRESS:]HOST:GUEST[/udp], several with commas", _words)
NAMES = Kind("names, several with commas", _words)
PATH = Kind("absolute path", _path)
MAC = Kind("MAC address", _mac)
PORT = whole(1, 65535)
