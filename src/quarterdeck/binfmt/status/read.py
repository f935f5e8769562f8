"""Reads the status of this host."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from quarterdeck.binfmt.elf import read_elf_file
from quarterdeck.binfmt.emulators.find import Version, version_of
from quarterdeck.binfmt.entries.interpreter import Found, look
from quarterdeck.binfmt.entries.kind import arch_of, has_standard_magic, is_emulator, is_temporary, oddity
from quarterdeck.binfmt.entries.owner import Owner, owners
from quarterdeck.binfmt.kernel.instance import Instance, probe_instance
from quarterdeck.binfmt.kernel.registration import Registration
from quarterdeck.binfmt.persist import binfmt_support
from quarterdeck.binfmt.persist.choice import Choice, Keeper, choose
from quarterdeck.binfmt.persist.keep import is_kept
from quarterdeck.binfmt.status.findings import findings
from quarterdeck.binfmt.status.model import BinfmtStatus, EntryStatus
from quarterdeck.binfmt.status.platforms import platforms
from quarterdeck.core.arch import Arch, host_arch, runs_natively
from quarterdeck.errors import QuarterdeckError
from quarterdeck.host.binfmt_misc import FOLDER, Entry, read_entries

_AT_ONCE = 8


def read_status(folder: Path = FOLDER, *, root: Path = Path("/"), proved: Mapping[str, str] | None = None) -> BinfmtStatus:
    """Return the state of emulation on this host; changes nothing, but starts each emulator to ask for its version.

    Args:
        folder: where binfmt_misc is mounted.
        root: stands for ``/`` where files of packages and of systemd are looked for.
        proved: for architectures (by name) whose programs were tried in an empty root, why they do not run, empty when they do.
    """
    instance, keeper, host = probe_instance(folder, root=root), choose(root), host_arch()
    found = look(read_entries(folder), folder, container=instance.container)
    entries = describe(found, owners(found, root), keeper=keeper, host=host, root=root)
    return assemble(instance, keeper, entries, host=host, proved=proved)


def assemble(
    instance: Instance, keeper: Choice, entries: Sequence[EntryStatus], *, host: Arch, proved: Mapping[str, str] | None = None
) -> BinfmtStatus:
    """Return the status that follows from the facts."""
    return BinfmtStatus(
        instance,
        keeper,
        tuple(entries),
        tuple(platforms(instance, entries, host=host, proved=proved)),
        tuple(findings(instance, entries, keeper)),
    )


def describe(
    found: Sequence[Found], owned: Mapping[str, Owner], *, keeper: Choice, host: Arch, root: Path = Path("/")
) -> list[EntryStatus]:
    """Return all that is known about each entry, by name."""
    paths = {one.entry.interpreter for one in found if is_emulator(one.entry)}
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        programs = dict(zip(paths, pool.map(_program, paths), strict=True))
    first = first_asked(found)
    return [_describe(one, owned[one.entry.name], programs, first, keeper=keeper, host=host, root=root) for one in found]


def first_asked(found: Sequence[Found]) -> dict[str, str]:
    """Return, for architectures by name, the entry that the kernel asks first: the newest one that is switched on.

    Entries made within the same tick of the kernel's clock (some milliseconds) cannot be told apart; the last by name is taken.
    """
    first: dict[str, str] = {}
    for one in sorted(found, key=lambda one: (one.registered, one.entry.name)):
        arch = arch_of(one.entry)
        if arch is not None and one.entry.enabled:
            first[arch.name] = one.entry.name
    return first


def _describe(
    one: Found,
    owner: Owner,
    programs: Mapping[str, tuple[Version | None, bool | None]],
    first: Mapping[str, str],
    *,
    keeper: Choice,
    host: Arch,
    root: Path,
) -> EntryStatus:
    entry, arch = one.entry, arch_of(one.entry)
    version, static = programs.get(entry.interpreter, (None, None))
    return EntryStatus(
        entry=entry,
        arch=arch,
        emulator=is_emulator(entry),
        owner=owner,
        registered=one.registered,
        file=one.file,
        version=version,
        static=static,
        oddity=oddity(entry, arch) if arch else "",
        standard=arch is not None and has_standard_magic(entry, arch),
        native=arch is not None and runs_natively(arch, host),
        first=arch is not None and first.get(arch.name) == entry.name,
        kept=_comes_back(entry, keeper, root),
        temporary=is_temporary(entry),
    )


def _comes_back(entry: Entry, keeper: Choice, root: Path) -> bool:
    if keeper.keeper is Keeper.BINFMT_SUPPORT:
        return any((item.name, item.interpreter) == (entry.name, entry.interpreter) for item in binfmt_support.formats(root))
    return bool(entry.magic) and is_kept(Registration.from_entry(entry), keeper, root)


def _program(path: str) -> tuple[Version | None, bool | None]:
    """Return version and whether it is static of the file that is at a path now, None for what cannot be told."""
    # Debian's links end in -binfmt-P, by which older emulators take their second argument for argv[0].
    real = Path(os.path.realpath(path))
    try:
        static: bool | None = read_elf_file(real).static
    except QuarterdeckError:
        static = None
    try:
        version: Version | None = version_of(real)
    except QuarterdeckError:
        version = None
    return version, static
