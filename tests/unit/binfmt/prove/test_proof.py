import pytest

from quarterdeck.binfmt.programs.probe import Probe
from quarterdeck.binfmt.prove.proof import Outcome, Proof, Result
from quarterdeck.core.arch import find_arch
from quarterdeck.host.binfmt_misc import Entry


def proof(flags: str | None, *, native: bool = False, **outcomes: Outcome) -> Proof:
    results = {probe: Result(outcomes.get(str(probe), Outcome.PASS)) for probe in Probe}
    entry = None if flags is None else Entry("qemu-arm", True, "/usr/bin/qemu-arm-static", flags)
    return Proof(find_arch("arm"), entry, native, results)


@pytest.mark.parametrize(
    ("flags", "outcomes", "ok"),
    [
        ("OCF", {}, True),
        ("OCF", {"exec": Outcome.FAIL}, False),
        ("OCF", {"exec": Outcome.SKIP}, False),
        ("OCF", {"argv0": Outcome.FAIL}, True),
        ("POCF", {"argv0": Outcome.FAIL}, False),
        ("POCF", {"argv0": Outcome.SKIP}, True),
        ("POF", {"credentials": Outcome.FAIL}, True),
        ("OCF", {"credentials": Outcome.FAIL}, False),
        ("OCF", {"credentials": Outcome.SKIP}, True),
        ("OCF", {"threads": Outcome.FAIL, "signal": Outcome.FAIL, "readdir": Outcome.LIMIT}, True),
        (None, {"argv0": Outcome.FAIL}, False),
    ],
)
def test_flags_are_promises(flags, outcomes, ok):
    assert proof(flags, **outcomes).ok is ok


def test_an_entry_over_a_native_architecture_shadows_it():
    assert proof("OCF", native=True).shadowed
    assert not proof(None, native=True).shadowed
    assert not proof("OCF").shadowed


def test_json_has_every_probe_and_what_runs_it():
    document = proof("POCF", readdir=Outcome.LIMIT).to_json()
    assert document["platform"] == "linux/arm/v7"
    assert (document["entry"], document["interpreter"], document["flags"]) == ("qemu-arm", "/usr/bin/qemu-arm-static", "POCF")
    probes = document["probes"]
    assert isinstance(probes, dict)
    assert probes.keys() == {str(probe) for probe in Probe}
    assert probes["readdir"] == {"outcome": "limit", "detail": "", "seconds": 0.0}
    assert proof(None).to_json()["entry"] is None
