"""Status with its word proved: a program of each platform is run in an empty root folder."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from quarterdeck.binfmt.programs.probe import Probe
from quarterdeck.binfmt.prove.proof import Outcome, Proof
from quarterdeck.binfmt.prove.prove import prove
from quarterdeck.binfmt.selection import emulated
from quarterdeck.binfmt.status.model import BinfmtStatus, Platform, Runs
from quarterdeck.binfmt.status.read import read_status
from quarterdeck.core.arch import Arch
from quarterdeck.errors import HostError
from quarterdeck.host.binfmt_misc import FOLDER, read_entries

_ENOUGH = frozenset({Probe.EXEC})
"""Whether a platform's programs run at all is all that is told here; the other probes say how well."""


def proved_status(folder: Path = FOLDER) -> BinfmtStatus:
    """Return :func:`read_status`, with programs run where this user can; where not, the platforms say that they were not."""
    try:
        proofs = _prove(_all(), folder)
    except HostError:
        return read_status(folder)
    return read_status(folder, proved={proof.arch.name: _obstacle(proof) for proof in proofs})


def proved_platforms(arches: Collection[Arch] | None = None, folder: Path = FOLDER) -> tuple[Platform, ...]:
    """Return the platforms of :func:`proved_status`, or those of ``arches`` alone, without looking at anything else.

    No emulator is asked for its version and no file of a package is read, so this takes a fraction of the time.
    """
    wanted = tuple(arch for arch in _all() if arches is None or arch in arches)
    try:
        proofs = _prove(wanted, folder) if wanted else []
    except HostError:
        return tuple(one for one in read_status(folder).platforms if one.arch in wanted)
    return tuple(_platform(proof) for proof in proofs)


def _all() -> tuple[Arch, ...]:
    return tuple(arch for arch in emulated() if arch.oci)


def _prove(arches: Collection[Arch], folder: Path) -> list[Proof]:
    return prove(tuple(arches), entries=read_entries(folder), probes=_ENOUGH)


def _platform(proof: Proof) -> Platform:
    obstacle = _obstacle(proof)
    runs = Runs.NATIVE if proof.native and not proof.shadowed else Runs.EMULATED
    return Platform(proof.arch.oci, proof.arch, Runs.NO if obstacle else runs, proved=True, reason=obstacle)


def _obstacle(proof: Proof) -> str:
    result = proof.results[Probe.EXEC]
    return "" if result.outcome is Outcome.PASS else result.detail
