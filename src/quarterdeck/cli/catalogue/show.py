"""``qd catalogue show``."""

from __future__ import annotations

from quarterdeck.cli.catalogue.options import More, OneName
from quarterdeck.cli.catalogue.source import open_catalogue
from quarterdeck.cli.catalogue.view import facts, plain
from quarterdeck.cli.options import Json
from quarterdeck.cli.output import print_json
from quarterdeck.cli.table import print_folded


def show(name: OneName, catalogue: More = None, json: Json = False) -> None:
    """Show all that the catalogue knows of an entry: what it needs, who logs in, how it is verified. Nothing is asked of the network.

    With --json the fields are those of the entry's file, so that it can be the start of one of your own.
    """
    known = open_catalogue(catalogue)
    entry = known.find(name)
    if json:
        print_json(plain(entry))
    else:
        print_folded(facts(entry, known.origin(entry)))
