"""``qd binfmt prove``: runs a program of each architecture."""

from __future__ import annotations

from collections.abc import Sequence

import typer

from quarterdeck.binfmt.prove.prove import prove as do_prove
from quarterdeck.binfmt.selection import emulated, select
from quarterdeck.cli.binfmt.options import AnyArch
from quarterdeck.cli.binfmt.show import show_proofs
from quarterdeck.cli.options import Json
from quarterdeck.cli.output import print_json, say
from quarterdeck.core.arch import Arch, host_arch
from quarterdeck.host.binfmt_misc import Entry, claiming, read_entries


def prove(what: AnyArch = None, json: Json = False) -> None:
    """Run tiny programs of each architecture through the kernel, in an empty root folder, and say what each of them does.

    Exits with 1 when programs of an architecture do not run, or a flag of its entry does not do what it is for.
    """
    entries = read_entries()
    arches = select(what).arches if what else _worth_trying(entries)
    proofs = do_prove(arches, entries=entries)
    if json:
        print_json({"proofs": [proof.to_json() for proof in proofs]})
    elif proofs:
        show_proofs(proofs)
        say(f"{sum(proof.ok for proof in proofs)} of {len(proofs)} proved")
    if not all(proof.ok for proof in proofs):
        raise typer.Exit(1)


def _worth_trying(entries: Sequence[Entry]) -> list[Arch]:
    """Return what somebody registered an emulator for, and this host's own architecture."""
    host = host_arch()
    return [arch for arch in emulated() if arch.name == host.name or claiming(arch, entries)]
