"""Entries and files as people and scripts see them."""

from __future__ import annotations

import dataclasses
from enum import StrEnum
from typing import Any

from quarterdeck.core.size import format_size
from quarterdeck.media.catalogue.model import Entry, Kind
from quarterdeck.media.catalogue.resolve import ResolvedEntry, Trust, trust_of

_ORDER = (Trust.NONE, Trust.WEAK, Trust.CHECKSUM, Trust.SIGNATURE)


def summary(entry: Entry) -> dict[str, Any]:
    """Return an entry as ``qd catalogue ls`` shows it: name, aliases, title, kinds, arches, proof."""
    proofs = [trust_of(image) for image in entry.images]
    return {
        "name": entry.name,
        "aliases": list(entry.aliases),
        "title": entry.title,
        "kinds": [kind.value for kind in entry.kinds],
        "arches": list(entry.arches),
        "proof": _proof(entry, proofs),
        "checked": entry.checked,
    }


def _proof(entry: Entry, proofs: list[Trust]) -> str:
    if entry.kind is Kind.BOOTSTRAP:
        return Trust.SIGNATURE.value
    return min(proofs, key=_ORDER.index).value if proofs else ""


def plain(entry: Entry) -> dict[str, Any]:
    """Return an entry as the fields of its file; those that are not set are left out."""
    return {key: value for key, value in _plain(entry).items() if value not in (None, [], {})}


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        pairs = {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
        return {key: inner for key, inner in pairs.items() if inner not in (None, [], {})}
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, tuple):
        return [_plain(inner) for inner in value]
    return dict(value) if hasattr(value, "items") else value


def facts(entry: Entry, origin: str) -> list[tuple[str, str]]:
    """Return what is to be known of an entry, as titles and texts."""
    login = entry.login
    rows = [
        ("title", entry.title),
        ("kind", "/".join(entry.kinds)),
        ("also called", " ".join(entry.aliases)),
        ("architectures", " ".join(entry.arches) or ("all" if entry.kind is Kind.BOOTSTRAP else "")),
        ("login", f"{login.user}{f', password {login.password}' if login.password else ''}" if login else ""),
        ("needs", _needs(entry)),
        ("firmware", entry.firmware if entry.firmware != "any" else ""),
        ("proof", "; ".join(dict.fromkeys(_proof_text(entry, index) for index in range(len(entry.images))))),
        *(("key", f"{key.id} ({key.owner})") for key in entry.keys),
        *(("source", url) for url in entry.source),
        ("last checked", entry.checked or ("never against the real site" if entry.images else "")),
        ("from", origin),
        *(("note", note) for note in entry.notes),
        ("instead", entry.instead or ""),
        *((f"on {arch}", text) for arch, text in entry.instead_on.items()),
    ]
    return [(title, text) for title, text in rows if text]


def _needs(entry: Entry) -> str:
    sizes = [(entry.memory, "memory"), (entry.disk, "disk")]
    return ", ".join(f"{format_size(size)} of {what}" for size, what in sizes if size)


def _proof_text(entry: Entry, index: int) -> str:
    image = entry.images[index]
    match trust_of(image):
        case Trust.SIGNATURE:
            form = "an OpenPGP" if entry.openpgp_keys else "a signify"
            return "OpenPGP signature of the file" if image.signature else f"checksum from a page with {form} signature"
        case Trust.NONE:
            return "none; only with --unverified"
        case _:
            return "checksum from a page of the publisher, over HTTPS"


def as_json(resolved: ResolvedEntry) -> dict[str, Any]:
    """Return a file that was found as scripts read it."""
    wanted = resolved.wanted
    return {
        "name": resolved.entry.name,
        "kind": resolved.kind.value,
        "arch": resolved.arch,
        "release": resolved.release,
        "urls": list(wanted.urls),
        "size": wanted.size,
        "checksum": None if wanted.checksum is None else str(wanted.checksum),
        "signature": None if wanted.signature is None else wanted.signature.url,
        "key": None if wanted.signature is None else wanted.signature.key,
        "proof": resolved.trust.value,
        "origin": wanted.origin,
    }
