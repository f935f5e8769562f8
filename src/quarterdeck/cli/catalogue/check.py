"""``qd catalogue check``."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import typer
from rich.text import Text

from quarterdeck.cli.catalogue.options import AnyNames, ArchName, Mirror, More, arch_of
from quarterdeck.cli.catalogue.source import open_catalogue
from quarterdeck.cli.catalogue.view import as_json
from quarterdeck.cli.options import Json
from quarterdeck.cli.output import print_json, say
from quarterdeck.cli.table import Column, print_columns
from quarterdeck.media.catalogue.check import Checked, check_entries
from quarterdeck.media.catalogue.model import Entry
from quarterdeck.media.catalogue.pages import Pages, check_mirror
from quarterdeck.media.fetch.http import Http, Patience

_COLUMNS = (Column("NAME"), Column("KIND", 3), Column("ARCH"), Column("RELEASE", 1), Column("PROOF", 2), Column("STATE"))
_TRIES = 2


def check(names: AnyNames = None, arch: ArchName = None, mirror: Mirror = None, catalogue: More = None, json: Json = False) -> None:
    """Ask the publishers for every entry: is there still a file, and something that proves it? Downloads nothing of the files.

    Exits with 1 when an entry broke, and says at which rule and page.
    """
    known = open_catalogue(catalogue)
    entries = [known.find(name) for name in names] if names else list(known)
    wanted = arch_of(arch)
    found = asyncio.run(_check(entries, mirror=check_mirror(mirror) if mirror else "", arch=wanted.name if wanted else None))
    if json:
        print_json([_row(one) for one in found])
    else:
        _show(found)
    if not all(one.good for one in found):
        raise typer.Exit(1)


async def _check(entries: Sequence[Entry], *, mirror: str, arch: str | None) -> list[Checked]:
    async with Http(patience=Patience(attempts=_TRIES)) as http:
        pages = Pages(http, mirror=mirror)
        try:
            return await check_entries(entries, pages, arch=arch)
        finally:
            await pages.close()


def _show(found: Sequence[Checked]) -> None:
    rows = []
    for one in found:
        state = Text("ok", style="green") if one.good else Text("broken", style="red")
        release, proof = (one.resolved.release, one.resolved.trust.value) if one.resolved else ("", "")
        rows.append([one.entry.name, one.kind.value, one.arch, release, proof, state])
    print_columns(_COLUMNS, rows)
    for one in found:
        if one.error is not None:
            say(f"{one.error.message} ({one.arch})", "red")
            say(f"  {one.error.reason}")
    broken = sum(not one.good for one in found)
    say(f"{len(found) - broken} of {len(found)} lead to a file" + (f", {broken} broke" if broken else ""))


def _row(one: Checked) -> dict[str, Any]:
    return {
        "name": one.entry.name,
        "kind": one.kind.value,
        "arch": one.arch,
        "ok": one.good,
        "file": None if one.resolved is None else {**as_json(one.resolved), "size": one.size or one.resolved.wanted.size},
        "error": None if one.error is None else one.error.to_json(),
    }
