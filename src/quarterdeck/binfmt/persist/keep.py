"""Keeps a set of registrations, or stops keeping them, as a whole: what fails halfway is undone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from quarterdeck.binfmt.kernel.registration import Registration, normal_flags
from quarterdeck.binfmt.persist import binfmt_d, binfmt_support
from quarterdeck.binfmt.persist.choice import Choice, Keeper
from quarterdeck.host.files import below

ROOT = Path("/")


def keep(registrations: Sequence[Registration], choice: Choice, root: Path = ROOT) -> list[str]:
    """Make registrations survive a reboot and return what was written, one line each; nothing for :attr:`Keeper.NONE`.

    Raises:
        HostError: one of them cannot be kept; those before it are as they were.
    """
    if choice.keeper is Keeper.NONE:
        return []
    missing = [registration for registration in registrations if not is_kept(registration, choice, root)]
    with ExitStack() as undo:
        written = [_keep_one(registration, choice, root, undo) for registration in missing]
        undo.pop_all()
    return written


def is_kept(registration: Registration, choice: Choice, root: Path = ROOT) -> bool:
    """Whether this very interpreter is registered with these flags at the next boot already, by us or by a package."""
    if choice.keeper is not Keeper.BINFMT_D:
        return False
    wanted = (registration.name, registration.interpreter, normal_flags(registration.flags))
    return wanted in [(line.name, line.interpreter, normal_flags(line.flags)) for line in binfmt_d.lines(root)]


def forget(names: Sequence[str], choice: Choice, root: Path = ROOT) -> list[str]:
    """Stop keeping entries and return what was removed, one line each; what others wrote stays.

    Raises:
        HostError: something cannot be removed; files of ours that were removed before are there again.
    """
    with ExitStack() as undo:
        removed = [binfmt_d.path_of(name) for name in names if _delete(name, root, undo)]
        if choice.program:
            removed += [f"binfmt-support: {name}" for name in names if binfmt_support.remove(choice.program, name, root)]
        undo.pop_all()
    return removed


def _delete(name: str, root: Path, undo: ExitStack) -> bool:
    restore = _restorer(name, root)
    deleted = binfmt_d.delete(name, root)
    if deleted:
        undo.callback(restore)
    return deleted


def returning(names: Sequence[str], choice: Choice, root: Path = ROOT) -> list[str]:
    """Return, one line for each that does, who will register entries of these names again at the next boot, after :func:`forget`."""
    if choice.keeper is Keeper.NONE:
        return []
    wanted = set(names)
    lines = [line for line in binfmt_d.lines(root) if line.name in wanted] if choice.keeper is Keeper.BINFMT_D else []
    by_package: dict[str, list[str]] = {}
    for item in binfmt_support.formats(root):
        if item.name in wanted and item.package:
            by_package.setdefault(item.package, []).append(item.name)
    by_support = [
        f"package {package} registers again by binfmt-support at the next boot: {', '.join(formats)}"
        for package, formats in by_package.items()
    ]
    return [*_by_files(lines), *by_support]


def competing(names: Sequence[str], root: Path = ROOT) -> list[str]:
    """Return, one line each, which packages register entries of these names by binfmt-support too.

    At boot systemd's come first and stay; ``update-binfmts --import``, which an upgrade of the package runs, replaces them.
    """
    wanted = set(names)
    return [
        f"an upgrade of {item.package} puts its own {item.name} in place until the next boot: it is registered by binfmt-support too"
        for item in binfmt_support.formats(root)
        if item.name in wanted and item.package
    ]


def _by_files(lines: Sequence[binfmt_d.Line]) -> list[str]:
    by_folder: dict[str, list[binfmt_d.Line]] = {}
    for line in lines:
        by_folder.setdefault(str(Path(line.file).parent), []).append(line)
    return [
        f"files in {folder} register again at the next boot: {', '.join(line.name for line in found)}; "
        f"to prevent it, hide each: ln -s /dev/null {binfmt_d.OWN_FOLDER}/{Path(found[0].file).name}"
        for folder, found in by_folder.items()
    ]


def _keep_one(registration: Registration, choice: Choice, root: Path, undo: ExitStack) -> str:
    if choice.keeper is Keeper.BINFMT_SUPPORT:
        binfmt_support.install(choice.program, registration, root)
        undo.callback(binfmt_support.remove, choice.program, registration.name, root)
        return f"binfmt-support: {registration.name}"
    restore = _restorer(registration.name, root)
    binfmt_d.write(registration, root)
    undo.callback(restore)
    return binfmt_d.path_of(registration.name)


def _restorer(name: str, root: Path) -> Callable[[], object]:
    """Return what brings the file of ``name`` back as it is now."""
    file = below(root, binfmt_d.path_of(name))
    if not file.exists():
        return lambda: file.unlink(missing_ok=True)
    content = file.read_bytes()
    return lambda: file.write_bytes(content)
