"""Status with its word proved: a program of each platform is run in an empty root folder."""

from __future__ import annotations

from pathlib import Path

from quarterdeck.binfmt.programs.probe import Probe
from quarterdeck.binfmt.prove.proof import Outcome, Proof
from quarterdeck.binfmt.prove.prove import prove
from quarterdeck.binfmt.selection import emulated
from quarterdeck.binfmt.status.model import BinfmtStatus
from quarterdeck.binfmt.status.read import read_status
from quarterdeck.errors import HostError
from quarterdeck.host.binfmt_misc import FOLDER, read_entries


def proved_status(folder: Path = FOLDER) -> BinfmtStatus:
    """Return :func:`read_status`, with programs run where this user can; where not, the platforms say that they were not."""
    try:
        proofs = prove([arch for arch in emulated() if arch.oci], entries=read_entries(folder))
    except HostError:
        return read_status(folder)
    return read_status(folder, proved={proof.arch.name: _obstacle(proof) for proof in proofs})


def _obstacle(proof: Proof) -> str:
    result = proof.results[Probe.EXEC]
    return "" if result.outcome is Outcome.PASS else result.detail
