"""From the words of a command line to architectures: ``all``, names, OCI platforms, patterns, lists with commas."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from quarterdeck.core.arch import ARCHES, Arch, find_arch
from quarterdeck.errors import UsageError
from quarterdeck.host.binfmt_misc import Entry

_PATTERN = frozenset("*?[")
_VARIANTS = {"arm64": ("v8", "v9"), "arm": ("v5", "v6", "v7", "v8"), "amd64": ("v1", "v2", "v3", "v4")}
"""Variants of OCI platforms that one emulator serves. Source: image-spec's config.md and containerd's platforms package."""


@dataclass(frozen=True)
class Selection:
    """Architectures in the table's order, and which of them were asked for by name, not by ``all`` or a pattern."""

    arches: tuple[Arch, ...]
    named: frozenset[str]


def emulated() -> tuple[Arch, ...]:
    """Return the architectures that QEMU runs programs of."""
    return tuple(arch for arch in ARCHES if arch.user)


def select(words: Sequence[str]) -> Selection:
    """Return the architectures that ``words`` name.

    Raises:
        UsageError: a word names none, or QEMU runs no programs of what it names; the hint suggests another.
    """
    chosen: set[str] = set()
    named: set[str] = set()
    for word in split(words):
        arches = _matching(word)
        chosen.update(arch.name for arch in arches)
        if not is_pattern(word):
            named.update(arch.name for arch in arches)
    return Selection(tuple(arch for arch in emulated() if arch.name in chosen), frozenset(named))


def select_entries(words: Sequence[str], entries: Sequence[Entry]) -> list[Entry]:
    """Return the entries that ``words`` name: by their names, patterns of names, or the architecture they are called after.

    ``all`` and ``*`` mean all whose name begins with ``qemu-``.

    Raises:
        UsageError: a word names nothing at all; an architecture without an entry is no error.
    """
    chosen: set[str] = set()
    for word in split(words):
        chosen |= _entries_of(word, entries)
    return [entry for entry in entries if entry.name in chosen]


def split(words: Iterable[str]) -> list[str]:
    """Return the words of lists with commas.

    Raises:
        UsageError: there is none.
    """
    found = [part.strip() for word in words for part in word.split(",") if part.strip()]
    if not found:
        raise UsageError("no-arch", "no architecture is named", hint="name some, such as arm64 or linux/riscv64, or 'all'")
    return found


def is_pattern(word: str) -> bool:
    """Whether a word stands for whatever there is, and not for something that the user named."""
    return word == "all" or bool(_PATTERN & set(word))


def _matching(word: str) -> list[Arch]:
    if word == "all":
        return list(emulated())
    if is_pattern(word):
        pattern = word.lower()
        found = [arch for arch in emulated() if any(fnmatchcase(name, pattern) for name in _names(arch))]
        if not found:
            raise UsageError("unknown-arch", f"no architecture matches '{word}'", hint="patterns are such as linux/arm* or mips*")
        return found
    arch = _named(word)
    if not arch.user:
        raise UsageError("no-user-emulator", f"QEMU runs no programs of {arch.name}")
    return [arch]


def _named(word: str) -> Arch:
    name = word.strip().lower().removeprefix("qemu-")
    if found := next((arch for arch in emulated() if arch.user == name), None):
        return found
    try:
        return find_arch(name)
    except UsageError:
        base = _without_variant(name)
        if base is None:
            raise
        return find_arch(base)


def _without_variant(platform: str) -> str | None:
    """Return ``linux/arm`` for ``linux/arm/v6``, None for what is no such platform."""
    system, _, rest = platform.partition("/")
    arch, _, variant = rest.partition("/")
    return f"{system}/{arch}" if system == "linux" and variant in _VARIANTS.get(arch, ()) else None


def _names(arch: Arch) -> set[str]:
    return {name for name in (arch.name, arch.user, f"qemu-{arch.user}", arch.oci, arch.debian, *arch.aliases) if name}


def _entries_of(word: str, entries: Sequence[Entry]) -> set[str]:
    if word in {"all", "*"}:
        return {entry.name for entry in entries if entry.name.startswith("qemu-")}
    found = {entry.name for entry in entries if fnmatchcase(entry.name, word)}
    if found:
        return found
    try:
        users = {arch.user for arch in _matching(word)}
    except UsageError as error:
        raise _no_such(word, entries, error) from None
    return {entry.name for entry in entries if _called_after(entry, users)}


def _called_after(entry: Entry, users: set[str]) -> bool:
    name = entry.name.partition(".")[0]
    return name.startswith("qemu-") and name.removeprefix("qemu-").removesuffix("-static") in users


def _no_such(word: str, entries: Sequence[Entry], error: UsageError) -> UsageError:
    close = difflib.get_close_matches(word, [entry.name for entry in entries], n=1)
    hint = f"did you mean '{close[0]}'?" if close else error.hint
    return UsageError("unknown-entry", f"'{word}' is neither an entry nor an architecture", hint=hint)
