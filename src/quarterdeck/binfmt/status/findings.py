"""What is wrong, and what mends it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from quarterdeck.binfmt.change.plan import how_to_remove, printable
from quarterdeck.binfmt.entries.debian import version_numbers
from quarterdeck.binfmt.entries.interpreter import FileState
from quarterdeck.binfmt.kernel.instance import FIX_BINARY_SINCE, Built, Instance, Kind
from quarterdeck.binfmt.persist.choice import FIX_BINARY_SINCE as SUPPORT_FIX_BINARY_SINCE
from quarterdeck.binfmt.persist.choice import Choice, Keeper
from quarterdeck.binfmt.status.model import EntryStatus, Finding
from quarterdeck.host.check import Status as Level


class _Maker(Protocol):
    """Makes a finding about one entry."""

    def __call__(self, key: str, level: Level, text: str, fix: str = ...) -> Finding: ...


def findings(instance: Instance, entries: Sequence[EntryStatus], keeper: Choice) -> list[Finding]:
    """Return all findings, first those about the kernel, then those about entries."""
    about_entries = [finding for one in entries for finding in (_of_entry(one, instance, keeper) if one.emulator else _of_foreign(one))]
    return [*_of_kernel(instance), *_of_versions(instance), *about_entries]


def _of_kernel(instance: Instance) -> Iterator[Finding]:
    mount = f"as root: mount -t binfmt_misc binfmt_misc {instance.folder}"
    if not instance.mounted and instance.built is Built.NO:
        yield Finding(
            "not-built", Level.FAIL, "this kernel has no binfmt_misc", "modprobe binfmt_misc, or a kernel with CONFIG_BINFMT_MISC"
        )
    elif not instance.mounted and instance.built is Built.MODULE:
        yield Finding("not-loaded", Level.FAIL, "the kernel's module binfmt_misc is not loaded", "as root: modprobe binfmt_misc")
    elif not instance.mounted:
        yield Finding("not-mounted", Level.FAIL, "binfmt_misc is not mounted", mount)
    elif not instance.enabled:
        yield Finding("switched-off", Level.FAIL, "binfmt_misc is switched off", f"as root: echo 1 > {instance.folder}/status")
    if instance.kind is Kind.OWN:
        text = "this user namespace has an instance of its own, which hides the host's emulators"
        yield Finding("own-instance", Level.INFO, text)
    if instance.kind is Kind.INHERITED:
        text = "the entries are the host's; from this user namespace they cannot be changed"
        yield Finding("inherited", Level.INFO, text, "on the host: qd binfmt install")


def _of_versions(instance: Instance) -> Iterator[Finding]:
    if (0, 0) < instance.kernel < FIX_BINARY_SINCE:
        text = "this kernel is older than 4.8 and does not know flag F: emulators do not work in containers"
        yield Finding("old-kernel", Level.FAIL, text, "use Linux 4.8 or newer")
    version = instance.binfmt_support
    if version and version_numbers(version) < SUPPORT_FIX_BINARY_SINCE:
        text = f"binfmt-support {version} is older than 2.1.7 and registers without flag F"
        yield Finding("old-binfmt-support", Level.WARN, text, "upgrade binfmt-support, or remove it")


def _of_foreign(one: EntryStatus) -> Iterator[Finding]:
    """An entry that is not QEMU's matters when it takes the programs of an architecture."""
    if one.first and one.arch is not None:
        text = printable(f"{one.entry.name}: it runs programs of {one.arch.name} by {one.entry.interpreter}, which is not QEMU")
        yield Finding("foreign", Level.WARN, text, printable(f"to have QEMU instead, {how_to_remove(one.entry)}"), one.entry.name)


def _of_entry(one: EntryStatus, instance: Instance, keeper: Choice) -> Iterator[Finding]:
    name, again = one.entry.name, _install(one)

    def finding(key: str, level: Level, text: str, fix: str = again) -> Finding:
        return Finding(key, level, f"{name}: {text}", fix, name)

    if one.temporary:
        yield finding("left-over", Level.WARN, "left from an installation that was cut short")
        return
    if not one.entry.enabled:
        yield finding("disabled", Level.WARN, "it is switched off")
    elif not one.first and one.arch is not None:
        yield finding("hidden", Level.WARN, "a newer entry claims the same programs and is asked first", f"qd binfmt uninstall {name}")
    yield from _of_flags(one, finding)
    yield from _of_file(one, finding)
    if one.oddity:
        yield finding("odd-magic", Level.WARN, one.oddity)
    if one.native and one.entry.enabled:
        text = "this machine runs such programs itself, perhaps faster; now they are emulated"
        yield finding("native-shadowed", Level.WARN, text, f"qd binfmt uninstall {name}")
    if not one.kept and keeper.keeper is not Keeper.NONE and instance.kind is Kind.HOST:
        yield finding("not-kept", Level.INFO, "it will not come back after a reboot")


def _of_flags(one: EntryStatus, finding: _Maker) -> Iterator[Finding]:
    if "F" not in one.entry.flags:
        yield finding("no-fix-binary", Level.FAIL, "without flag F it does not work in containers and other root folders")
    if "C" not in one.entry.flags:
        yield finding("no-credentials", Level.WARN, "without flag C set-uid programs such as sudo do not work")


def _of_file(one: EntryStatus, finding: _Maker) -> Iterator[Finding]:
    path = one.entry.interpreter
    fixed = "F" in one.entry.flags
    if one.file is FileState.MISSING and fixed:
        text = (
            f"{path} does not exist here: it was deleted, or is inside a container image; the kernel still holds the file, whatever it is"
        )
        yield finding("interpreter-missing", Level.WARN, text)
    elif one.file is FileState.MISSING:
        yield finding("interpreter-missing", Level.FAIL, f"{path} does not exist")
    elif one.file is FileState.CHANGED and fixed:
        text = f"{path} was changed after it was registered, as by an upgrade: the kernel may still run the older one"
        yield finding("interpreter-changed", Level.WARN, text)
    if one.static is False:
        yield finding("dynamic", Level.FAIL if fixed else Level.WARN, f"{path} needs libraries, which containers do not have")


def _install(one: EntryStatus) -> str:
    return f"as root: qd binfmt install {one.arch.name}" if one.arch else ""
