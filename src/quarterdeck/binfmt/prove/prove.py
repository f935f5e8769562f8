"""Runs the proof programs of many architectures at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from quarterdeck.binfmt.programs.build import build, supported
from quarterdeck.binfmt.programs.probe import Probe
from quarterdeck.binfmt.prove.judge import ARGV0, Circumstances, judge
from quarterdeck.binfmt.prove.place import choose_place, empty_root, put
from quarterdeck.binfmt.prove.proof import Outcome, Proof, Result, flag_of, promised
from quarterdeck.binfmt.prove.session import Ended, Session, Task, open_session
from quarterdeck.core.arch import Arch, host_arch, runs_natively
from quarterdeck.core.report import Level, Message, Reporter, silent
from quarterdeck.host import binfmt_misc
from quarterdeck.host.binfmt_misc import Entry

_NO_PROGRAM = "no program for it can be made"
_EVERY = frozenset(Probe)


@dataclass
class _Case:
    """An architecture on its way: its programs, and what is known so far."""

    arch: Arch
    native: bool
    entry: Entry | None
    programs: Mapping[Probe, bytes]
    notes: tuple[str, ...]
    results: dict[Probe, Result] = field(default_factory=dict)

    def file(self, probe: Probe) -> str:
        return f"{self.arch.name}.{probe}"

    def skip(self, probes: Iterable[Probe], detail: str) -> None:
        """Give ``probes`` that have no result yet the outcome SKIP."""
        for probe in probes:
            self.results.setdefault(probe, Result(Outcome.SKIP, detail))

    def proof(self) -> Proof:
        return Proof(self.arch, self.entry, self.native, {probe: self.results[probe] for probe in Probe}, self.notes)


def prove(
    arches: Sequence[Arch],
    *,
    entries: Sequence[Entry],
    probes: Collection[Probe] = _EVERY,
    timeout: float = 10.0,
    report: Reporter = silent,
) -> list[Proof]:
    """Run the proof programs of ``arches`` through the kernel, in a root folder that holds nothing else, and return what they proved.

    ``entries`` are the kernel's, as :func:`quarterdeck.host.binfmt_misc.read_entries` gives them in the same namespaces. Of ``probes``
    that are left out the proof says so; EXEC, on which all others stand, is run always. Each program has ``timeout`` seconds. Root
    becomes nobody for them, an ordinary user needs user namespaces.

    Raises:
        HostError: there is no folder in which programs can be executed, or neither root nor user namespaces.
    """
    place = choose_place()
    if place.passed_over:
        passed = ", ".join(map(str, place.passed_over))
        report(Message(Level.INFO, f"the proof programs run in {place.base}: {passed} is mounted noexec"))
    wanted = frozenset({Probe.EXEC, *probes})
    cases = [_case(arch, entries, wanted) for arch in arches]
    for case in cases:
        case.skip(_EVERY - wanted, "it was not asked for")
        _skip_known(case, nosuid=place.nosuid)
    with empty_root(place.base) as root:
        _run(cases, root, timeout=timeout)
    return [case.proof() for case in cases]


def _case(arch: Arch, entries: Sequence[Entry], probes: frozenset[Probe]) -> _Case:
    programs = {probe: build(arch, probe) for probe in sorted(supported(arch) & probes)}
    native = runs_natively(arch, host_arch())
    claims = _claims(arch, programs, entries)
    enabled = [entry for entry in claims if entry.enabled]
    unused = [] if native else claims
    entry = next(iter([*enabled, *unused]), None)
    return _Case(arch, native, entry, programs, tuple(_notes(native, enabled)))


def _claims(arch: Arch, programs: Mapping[Probe, bytes], entries: Sequence[Entry]) -> list[Entry]:
    """Return the entries that claim the program itself, or the architecture's headers where there is no program."""
    program = programs.get(Probe.EXEC)
    return binfmt_misc.claiming(arch, entries) if program is None else [entry for entry in entries if entry.claims(program)]


def _notes(native: bool, enabled: Sequence[Entry]) -> Iterable[str]:
    if native and enabled:
        yield f"this host's processor runs these programs itself, and {enabled[0].name} makes it emulate them"
    if len(enabled) > 1:
        yield f"several entries claim these programs ({', '.join(entry.name for entry in enabled)}); the one registered last is used"


def _skip_known(case: _Case, *, nosuid: bool) -> None:
    """Skip what is known to be impossible before anything runs."""
    case.skip((probe for probe in Probe if probe not in case.programs), _NO_PROGRAM)
    for probe in Probe:
        if not promised(probe, case.entry):
            case.skip([probe], f"flag {flag_of(probe)} is not registered")
    if nosuid:
        case.skip([Probe.CREDENTIALS], "every folder for temporary files is mounted nosuid")


def _run(cases: Sequence[_Case], root: Path, *, timeout: float) -> None:
    wanted = [(case, probe) for case in cases for probe in Probe if probe not in case.results]
    if not wanted:
        return
    for case, probe in wanted:
        put(root / case.file(probe), case.programs[probe])
    setuid = [case.file(probe) for case, probe in wanted if probe is Probe.CREDENTIALS]
    with open_session(root, setuid=setuid) as session:
        # First whether anything runs: what hangs hangs once, not six times.
        _run_batch(session, [pair for pair in wanted if pair[1] is Probe.EXEC], timeout=timeout)
        for case in cases:
            if case.results[Probe.EXEC].outcome is not Outcome.PASS:
                case.skip(Probe, "programs do not run at all")
            if session.owner is None:
                case.skip([Probe.CREDENTIALS], f"only one user is mapped: {session.why_no_owner}")
        _run_batch(session, wanted, timeout=timeout)


def _run_batch(session: Session, wanted: Sequence[tuple[_Case, Probe]], *, timeout: float) -> None:
    """Run those of ``wanted`` that have no result yet."""
    todo = [(case, probe) for case, probe in wanted if probe not in case.results]
    ended = session.run([Task(case.file(probe), ARGV0) for case, probe in todo], timeout=timeout)
    switched_on = binfmt_misc.is_switched_on()
    for (case, probe), end in zip(todo, ended, strict=True):
        case.results[probe] = _judged(case, probe, end, owner=session.owner, switched_on=switched_on)


def _judged(case: _Case, probe: Probe, ended: Ended, *, owner: int | None, switched_on: bool) -> Result:
    circumstances = Circumstances(case.entry, case.native, switched_on, owner)
    return judge(probe, ended, circumstances)
