"""Which emulators this host has for a selection of architectures, each with the CPU model that suits it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from quarterdeck.binfmt.emulators.copies import copy_path, install_copy
from quarterdeck.binfmt.emulators.cpu_model import default_cpu_model
from quarterdeck.binfmt.emulators.find import Emulator, find_emulators
from quarterdeck.binfmt.selection import Selection
from quarterdeck.core.arch import Arch, host_arch
from quarterdeck.errors import HostError, QuarterdeckError

_MISSING = "emulator-missing"


@dataclass(frozen=True)
class Source:
    """Where emulators come from: the system, or only ``folder``, where their names begin with ``prefix``.

    ``cpu`` is a CPU model for all of them, ``default`` QEMU's own, None the one that suits each. Copies with a model go to ``copies``
    (None: the usual folder).
    """

    folder: Path | None = None
    prefix: str = "qemu-"
    cpu: str | None = None
    copies: Path | None = None

    @property
    def given(self) -> bool:
        """Whether the user said which emulators, so that entries with others are not what is wanted."""
        return self.folder is not None or self.cpu is not None


@dataclass(frozen=True)
class Offer:
    """The emulators, in the selection's order, and what is in the way of those that are there but cannot be used.

    ``plain`` are those that have no CPU model of their own although a faster one would suit them, and why. ``own`` is this host's own
    architecture where it was asked for: it needs no emulator, and with one no program would start any more.
    """

    emulators: tuple[Emulator, ...]
    unusable: tuple[tuple[Arch, QuarterdeckError], ...]
    plain: tuple[tuple[Arch, QuarterdeckError], ...] = ()
    own: Arch | None = None


def find_offer(selection: Selection, source: Source, *, write: bool) -> Offer:
    """Return the emulators for ``selection``.

    With ``write`` copies with a CPU model are made; without, the answer only says what they would be called.

    Raises:
        HostError: one that was asked for by name is missing or unusable, or there is none at all.
        UsageError: the prefix or CPU model cannot be one.
    """
    host = host_arch()
    arches = [arch for arch in selection.arches if arch.name != host.name]
    search = find_emulators(arches, folder=source.folder, prefix=source.prefix)
    for arch, error in search.failed:
        if arch.name in selection.named or not search.found:
            raise error
    unusable = tuple((arch, error) for arch, error in search.failed if error.key != _MISSING)
    emulators, plain = [], []
    for emulator in search.found:
        try:
            emulators.append(_with_model(emulator, source, write=write))
        except HostError as error:
            if source.cpu is not None:
                raise
            emulators.append(emulator)
            plain.append((emulator.arch, error))
    return Offer(tuple(emulators), unusable, tuple(plain), own=host if host.name in selection.named else None)


def _with_model(emulator: Emulator, source: Source, *, write: bool) -> Emulator:
    model = default_cpu_model(emulator.arch, emulator.version) if source.cpu is None else source.cpu
    if model is None or model == "default":
        return emulator
    place = install_copy if write else copy_path
    return dataclasses.replace(emulator, path=place(emulator, model, source.copies))
