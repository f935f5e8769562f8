"""Formats of binfmt-support, which registers them at boot where systemd does not.

Sources: update-binfmts(8) of 2.2.2; its database in /var/lib/binfmts has a file for each format, whose lines are package (":" when
an administrator added it), type, offset, magic, mask, interpreter, detector, credentials, preserve and fix_binary.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from quarterdeck.binfmt.kernel.registration import Registration
from quarterdeck.core import process
from quarterdeck.errors import HostError, QuarterdeckError
from quarterdeck.host.files import entries, read_text

DATABASE = "/var/lib/binfmts"
LOCAL = ":"
_TIMEOUT = 30.0


@dataclass(frozen=True)
class Format:
    """One format of the database. ``package`` is empty when an administrator added it."""

    name: str
    package: str
    interpreter: str


def formats(root: Path = Path("/")) -> list[Format]:
    """Return what binfmt-support registers at boot."""
    found = (_parse(name, read_text(root, f"{DATABASE}/{name}")) for name in entries(root, DATABASE))
    return [item for item in found if item is not None]


def install_argv(program: str, registration: Registration) -> list[str]:
    """Return the command that adds a registration to the database."""
    flags = registration.flags
    fields = registration.line().decode(errors="surrogateescape")
    magic, mask = fields[1:].split(fields[0])[3:5]
    return [
        program,
        "--install", registration.name, registration.interpreter,
        "--offset", str(registration.offset),
        "--magic", magic,
        "--mask", mask,
        "--credentials", _yes("C" in flags),
        "--preserve", _yes("P" in flags),
        "--fix-binary", _yes("F" in flags),
    ]  # fmt: skip


def install(program: str, registration: Registration, root: Path = Path("/")) -> None:
    """Add a registration to the database.

    Raises:
        HostError: binfmt-support refused it, as it does when a package has a format of this name.
    """
    there = next((item for item in formats(root) if item.name == registration.name and item.package), None)
    if there is not None:
        reason = f"package {there.package} has a format of this name, which runs {there.interpreter}"
        hint = f"{program} --package {there.package} --remove {there.name} {there.interpreter}; or install with --no-persist"
        raise HostError("binfmt-support", f"binfmt-support cannot keep {registration.name}", reason=reason, hint=hint)
    _run(install_argv(program, registration), f"binfmt-support did not take {registration.name}")


def remove(program: str, name: str, root: Path = Path("/")) -> bool:
    """Remove a format that an administrator added; return False where there is none. Its entry goes with it.

    Raises:
        HostError: binfmt-support refused it.
    """
    there = next((item for item in formats(root) if item.name == name and not item.package), None)
    if there is None:
        return False
    _run([program, "--remove", name, there.interpreter], f"binfmt-support did not remove {name}")
    return True


def _run(argv: list[str], what: str) -> None:
    try:
        process.run(argv, timeout=_TIMEOUT)
    except QuarterdeckError as error:
        raise HostError("binfmt-support", what, reason=error.reason or error.message, hint=error.hint) from None


def _parse(name: str, text: str) -> Format | None:
    lines = text.split("\n")
    if len(lines) < 6 or lines[1] != "magic":
        return None
    return Format(name, "" if lines[0] == LOCAL else lines[0], lines[5])


def _yes(value: bool) -> str:
    return "yes" if value else "no"
