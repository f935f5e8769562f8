"""The values that a status consists of."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from quarterdeck.binfmt.entries.interpreter import FileState
from quarterdeck.binfmt.entries.owner import Owner
from quarterdeck.binfmt.kernel.instance import Instance
from quarterdeck.binfmt.persist.choice import Choice
from quarterdeck.core.arch import Arch
from quarterdeck.host.binfmt_misc import Entry
from quarterdeck.host.check import Status as Level


@dataclass(frozen=True, kw_only=True)
class EntryStatus:
    """One entry and all that is known about it.

    ``arch`` is None for entries that are about no architecture. ``version`` and ``static`` are those of the file at the interpreter's
    path *now*, which may be another one than the kernel holds open: ``file`` says what is known of that. ``oddity`` says what is
    wrong with magic and mask, ``standard`` whether they are QEMU's byte for byte. ``native`` says that this machine would run these
    programs itself. ``first`` says whether the kernel asks this entry first for them; ``kept`` whether it comes back after a reboot.
    """

    entry: Entry
    arch: Arch | None
    emulator: bool
    owner: Owner
    registered: float
    file: FileState
    version: tuple[int, ...] | None
    static: bool | None
    oddity: str
    standard: bool
    native: bool
    first: bool
    kept: bool
    temporary: bool

    def to_json(self) -> dict[str, object]:
        """Return the entry as a JSON object."""
        entry = self.entry
        return {
            "name": entry.name,
            "arch": self.arch.name if self.arch else None,
            "platform": (self.arch.oci if self.arch else "") or None,
            "emulator": self.emulator,
            "enabled": entry.enabled,
            "interpreter": entry.interpreter,
            "version": ".".join(map(str, self.version)) if self.version else None,
            "static": self.static,
            "file": self.file.value,
            "registered": self.registered or None,
            "flags": entry.flags,
            "offset": entry.offset,
            "magic": entry.magic.hex(),
            "mask": entry.mask.hex(),
            "extension": entry.extension or None,
            "standard_magic": self.standard,
            "oddity": self.oddity or None,
            "native": self.native,
            "first": self.first,
            "kept": self.kept,
            "temporary": self.temporary,
            "owner": self.owner.to_json(),
        }


class Runs(StrEnum):
    """How programs of a platform run in an empty root folder, as the steps of an image build need them to."""

    NATIVE = "native"
    EMULATED = "emulated"
    NO = "no"


@dataclass(frozen=True)
class Platform:
    """What an image build would find for one OCI platform. ``proved`` says whether a program was run, ``reason`` why it does not run."""

    platform: str
    arch: Arch
    runs: Runs
    proved: bool
    reason: str = ""

    def to_json(self) -> dict[str, object]:
        """Return the platform as a JSON object."""
        return {
            "platform": self.platform,
            "arch": self.arch.name,
            "runs": self.runs.value,
            "proved": self.proved,
            "reason": self.reason or None,
        }


@dataclass(frozen=True)
class Finding:
    """Something worth knowing: stable key, how much it matters, what it is, and what mends it. ``entry`` is empty when it is about all."""

    key: str
    level: Level
    text: str
    fix: str = ""
    entry: str = ""

    def to_json(self) -> dict[str, object]:
        """Return the finding as a JSON object."""
        return {"key": self.key, "level": self.level.value, "text": self.text, "fix": self.fix or None, "entry": self.entry or None}


@dataclass(frozen=True)
class BinfmtStatus:
    """Everything together."""

    instance: Instance
    keeper: Choice
    entries: tuple[EntryStatus, ...]
    platforms: tuple[Platform, ...]
    findings: tuple[Finding, ...]

    @property
    def sound(self) -> bool:
        """Whether no finding is a failure."""
        return all(finding.level is not Level.FAIL for finding in self.findings)

    def to_json(self) -> dict[str, object]:
        """Return the status as the JSON object that ``qd binfmt status --json`` prints."""
        return {
            "instance": self.instance.to_json(),
            "keeper": {"by": self.keeper.keeper.value, "reason": self.keeper.reason, "hint": self.keeper.hint or None},
            "entries": [entry.to_json() for entry in self.entries],
            "platforms": [platform.to_json() for platform in self.platforms],
            "findings": [finding.to_json() for finding in self.findings],
        }
