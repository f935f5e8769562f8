"""What was proved of an architecture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from quarterdeck.binfmt.programs.probe import Probe
from quarterdeck.core.arch import Arch
from quarterdeck.host.binfmt_misc import Entry


class Outcome(StrEnum):
    """How one program ended: as it should, otherwise, at a limit that is known of emulators, or not run."""

    PASS = "pass"  # noqa: S105 - no password
    FAIL = "fail"
    LIMIT = "limit"
    SKIP = "skip"


@dataclass(frozen=True)
class Result:
    """One program: its outcome, what happened in words (empty when it passed), and how long it ran in seconds."""

    outcome: Outcome
    detail: str = ""
    seconds: float = 0.0

    def to_json(self) -> dict[str, object]:
        """Return the fields as a JSON object."""
        return {"outcome": str(self.outcome), "detail": self.detail, "seconds": round(self.seconds, 4)}


@dataclass(frozen=True)
class Proof:
    """All programs of one architecture.

    ``entry`` is what the kernel runs them with, or the disabled entry that it does not use; None where no entry claims them.
    ``native`` says that this host's processor runs them itself. ``notes`` are sentences for people.
    """

    arch: Arch
    entry: Entry | None
    native: bool
    results: Mapping[Probe, Result]
    notes: tuple[str, ...] = ()

    @property
    def shadowed(self) -> bool:
        """Whether an emulator runs what the processor could run itself."""
        return self.native and self.entry is not None

    @property
    def ok(self) -> bool:
        """Whether programs run, with argv[0] where flag P and with the identity of set-uid ones where flag C promises it.

        What could not be tried counts for none of the two, threads, signals and folders count for neither.
        """
        if self.results[Probe.EXEC].outcome is not Outcome.PASS:
            return False
        return all(self.results[probe].outcome is not Outcome.FAIL for probe in (Probe.ARGV0, Probe.CREDENTIALS) if self.promises(probe))

    def promises(self, probe: Probe) -> bool:
        """Whether the program must succeed for :attr:`ok`."""
        return promised(probe, self.entry)

    def to_json(self) -> dict[str, object]:
        """Return the JSON object that ``qd binfmt prove --json`` prints for an architecture."""
        return {
            "arch": self.arch.name,
            "platform": self.arch.oci or None,
            "ok": self.ok,
            "native": self.native,
            "shadowed": self.shadowed,
            "entry": self.entry.name if self.entry else None,
            "interpreter": self.entry.interpreter if self.entry else None,
            "flags": self.entry.flags if self.entry else None,
            "probes": {str(probe): result.to_json() for probe, result in self.results.items()},
            "notes": list(self.notes),
        }


_FLAG_OF = {Probe.ARGV0: "P", Probe.CREDENTIALS: "C"}


def promised(probe: Probe, entry: Entry | None) -> bool:
    """Whether ``entry`` has the flag that ``probe`` needs; native programs (no entry) need none."""
    return entry is None or _FLAG_OF.get(probe, "") in entry.flags


def flag_of(probe: Probe) -> str:
    """Return the flag that ``probe`` needs; empty when it needs none."""
    return _FLAG_OF.get(probe, "")
