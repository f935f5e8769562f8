from typing import Any

import pytest

from quarterdeck.binfmt.kernel.registration import Registration
from quarterdeck.binfmt.programs.probe import Probe
from quarterdeck.binfmt.prove.proof import Outcome, Proof, Result
from quarterdeck.binfmt.status import tried
from quarterdeck.binfmt.status.model import Runs
from quarterdeck.core.arch import find_arch
from quarterdeck.errors import HostError
from quarterdeck.host.binfmt_misc import Entry

AMD64, ARM64, RISCV64 = map(find_arch, ("amd64", "arm64", "riscv64"))


def entry(arch):
    new = Registration.of(arch, "/usr/bin/qemu", "F")
    return Entry(new.name, True, new.interpreter, "F", 0, new.magic, new.mask)


@pytest.fixture
def proofs(monkeypatch):
    """What is proved of each architecture; those that are asked for are kept under None."""
    given: dict[Any, Any] = {}

    def prove(arches, *, entries, probes):
        assert probes == {Probe.EXEC}
        given[None] = arches
        return [given[arch] for arch in arches]

    monkeypatch.setattr(tried, "prove", prove)
    return given


def proof(arch, outcome=Outcome.PASS, *, native=False, emulator=True):
    result = Result(outcome, "" if outcome is Outcome.PASS else "it broke")
    return Proof(arch, entry(arch) if emulator else None, native, {Probe.EXEC: result})


def test_platforms_are_as_their_programs_ran(proofs):
    proofs |= {AMD64: proof(AMD64, native=True, emulator=False), ARM64: proof(ARM64), RISCV64: proof(RISCV64, Outcome.FAIL)}
    found = tried.proved_platforms([RISCV64, ARM64, AMD64])
    assert {one.platform: (one.runs, one.reason) for one in found} == {
        "linux/amd64": (Runs.NATIVE, ""),
        "linux/arm64": (Runs.EMULATED, ""),
        "linux/riscv64": (Runs.NO, "it broke"),
    }
    assert all(one.proved for one in found)


def test_a_native_platform_that_an_emulator_has_taken_is_emulated(proofs):
    proofs[AMD64] = proof(AMD64, native=True)
    (found,) = tried.proved_platforms([AMD64])
    assert found.runs is Runs.EMULATED


def test_only_what_is_asked_for_is_tried(proofs):
    proofs[ARM64] = proof(ARM64)
    tried.proved_platforms([ARM64])
    assert proofs[None] == (ARM64,)
    del proofs[None]
    assert tried.proved_platforms([]) == ()
    assert None not in proofs


def test_where_no_program_can_be_tried_the_registrations_speak(monkeypatch):
    def prove(arches, **options):
        raise HostError("no-empty-root", "programs cannot be run in an empty root")

    monkeypatch.setattr(tried, "prove", prove)
    (found,) = tried.proved_platforms([AMD64])
    assert (found.platform, found.proved) == ("linux/amd64", False)
    assert len(tried.proved_platforms()) > 5
