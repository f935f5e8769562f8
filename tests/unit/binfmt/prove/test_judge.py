import errno

import pytest

from quarterdeck.binfmt.programs.probe import EOVERFLOW_STATUS, EXEC_STATUS, Probe
from quarterdeck.binfmt.prove.judge import ARGV0, Circumstances, judge
from quarterdeck.binfmt.prove.proof import Outcome
from quarterdeck.binfmt.prove.session import Ended
from quarterdeck.host.binfmt_misc import Entry

ENTRY = Entry("qemu-arm", True, "/usr/bin/qemu-arm-static", "POCF")
WITHOUT_F = Entry("qemu-arm", True, "/usr/bin/qemu-arm-static", "POC")
DISABLED = Entry("qemu-arm", False, "/usr/bin/qemu-arm-static", "POCF")


def case(entry: Entry | None = ENTRY, *, native: bool = False, switched_on: bool = True, owner: int | None = 65533) -> Circumstances:
    return Circumstances(entry, native, switched_on, owner)


@pytest.mark.parametrize(
    ("probe", "status"),
    [
        (Probe.EXEC, EXEC_STATUS),
        (Probe.ARGV0, ord(ARGV0)),
        (Probe.CREDENTIALS, 65533 & 0xFF),
        (Probe.THREADS, 0),
        (Probe.SIGNAL, 0),
        (Probe.READDIR, 0),
    ],
)
def test_each_program_passes_with_its_status_only(probe, status):
    assert judge(probe, Ended(0.1, status=status), case()).outcome is Outcome.PASS
    wrong = judge(probe, Ended(0.1, status=status + 1), case())
    assert wrong.outcome is Outcome.FAIL
    assert wrong.detail


@pytest.mark.parametrize(
    ("ended", "circumstances", "detail"),
    [
        (Ended(0, error=errno.ENOEXEC), case(None), "exec format error: no emulator is registered"),
        (Ended(0, error=errno.ENOEXEC), case(None, native=True), "exec format error: the kernel does not run what the processor could"),
        (Ended(0, error=errno.ENOEXEC), case(DISABLED), "exec format error: the entry qemu-arm is disabled"),
        (Ended(0, error=errno.ENOEXEC), case(switched_on=False), "exec format error: binfmt_misc is switched off"),
        (Ended(0, error=errno.ENOEXEC), case(), "exec format error: the emulator itself cannot be executed here"),
        (Ended(0, error=errno.ENOENT), case(WITHOUT_F), "the emulator is not found in an empty root: flag F is not registered"),
        (Ended(0, error=errno.ENOENT), case(), "the emulator is not static: an empty root lacks its loader"),
        (Ended(0, error=errno.EACCES), case(), "cannot be started: Permission denied"),
        (Ended(0, status=-11), case(), "killed by SIGSEGV"),
        (Ended(2.04, status=-9, hung=True), case(), "hangs: killed after 2.0 s"),
        (Ended(0, status=1, words="a\nlast word"), case(), "exited with status 1, 42 was expected: last word"),
    ],
)
def test_a_failure_is_told_in_words(ended, circumstances, detail):
    result = judge(Probe.EXEC, ended, circumstances)
    assert (result.outcome, result.detail) == (Outcome.FAIL, detail)


def test_folders_with_long_offsets_are_a_known_limit():
    assert judge(Probe.READDIR, Ended(0, status=EOVERFLOW_STATUS), case()).outcome is Outcome.LIMIT
    assert judge(Probe.THREADS, Ended(0, status=EOVERFLOW_STATUS), case()).outcome is Outcome.FAIL


def test_an_emulator_that_ignores_p_is_called_so():
    assert "does not understand flag P" in judge(Probe.ARGV0, Ended(0, status=ord("/")), case()).detail
