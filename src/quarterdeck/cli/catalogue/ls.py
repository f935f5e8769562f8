"""``qd catalogue ls``."""

from __future__ import annotations

from quarterdeck.cli.catalogue.options import ArchName, KindName, More, arch_of
from quarterdeck.cli.catalogue.source import open_catalogue
from quarterdeck.cli.catalogue.view import summary
from quarterdeck.cli.options import Json
from quarterdeck.cli.output import print_json
from quarterdeck.cli.table import Column, print_columns
from quarterdeck.core.arch import Arch
from quarterdeck.media.catalogue.model import Entry, Kind

_COLUMNS = (Column("NAME"), Column("KIND", 1), Column("TITLE", 2), Column("PROOF", 3), Column("ARCHITECTURES", 4))


def ls(arch: ArchName = None, kind: KindName = None, catalogue: More = None, json: Json = False) -> None:
    """List what can be booted by name. Nothing is asked of the network.

    PROOF is what a download is verified by: a signature of the publisher, or a checksum that is trusted because it comes over HTTPS.
    """
    wanted = arch_of(arch)
    entries = [entry for entry in open_catalogue(catalogue) if _fits(entry, wanted, kind)]
    if json:
        print_json([summary(entry) for entry in entries])
        return
    rows = [summary(entry) for entry in entries]
    print_columns(_COLUMNS, [[row["name"], "/".join(row["kinds"]), row["title"], row["proof"], " ".join(row["arches"])] for row in rows])


def _fits(entry: Entry, arch: Arch | None, kind: Kind | None) -> bool:
    if kind is not None and kind not in entry.kinds:
        return False
    return arch is None or entry.kind is Kind.BOOTSTRAP or arch.name in entry.arches
