"""The entry point of the image quarterdeck/binfmt: the options, variables and JSON of tonistiigi/binfmt, with an honest exit status.

Run as ``python3 -I -m quarterdeck.cli.binfmt.drop_in``.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import quarterdeck
from quarterdeck.binfmt.change.plan import Action, Plan
from quarterdeck.binfmt.emulators.flags import check_flags
from quarterdeck.binfmt.emulators.offer import Offer, Source
from quarterdeck.binfmt.persist.choice import choose
from quarterdeck.binfmt.prove.proof import Proof
from quarterdeck.binfmt.selection import select
from quarterdeck.binfmt.setup import Request, set_up, take_away
from quarterdeck.binfmt.status.tried import proved_status
from quarterdeck.binfmt.status.variants import with_variants
from quarterdeck.cli.output import print_json, say, show_error
from quarterdeck.errors import HostError, QuarterdeckError
from quarterdeck.host.binfmt_misc import FOLDER
from quarterdeck.host.kvm import cpu_flags

_UNPROVED = 1
_INTERRUPTED = 130


def main() -> None:
    """Do what the options say and end the process."""
    try:
        status = call(sys.argv[1:], os.environ)
        sys.stdout.flush()
    except KeyboardInterrupt:
        status = _INTERRUPTED
    except OSError as error:
        status = _not_shown(error)
    sys.exit(status)


def _not_shown(error: OSError) -> int:
    """Say why the host, most often standard output, took no more; a reader that went away is told nothing."""
    # Else the interpreter complains when it flushes at the end.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if not isinstance(error, BrokenPipeError):
        show_error(HostError("host-refused", error.strerror or str(error)))
    return HostError.exit_code


def call(words: Sequence[str], environment: Mapping[str, str]) -> int:
    """Do what ``words`` say, print the state as JSON on stdout, and return the exit status; the state is printed after a failure too."""
    options = _parser().parse_args(words)
    if options.version:
        sys.stdout.write(f"quarterdeck {quarterdeck.__version__}\n")
        return 0
    proofs: list[Proof] = []
    status = 0
    try:
        if options.install:
            proofs = _install(options.install, options.mount, environment)
        if options.uninstall:
            _uninstall(options.uninstall, options.mount)
    except QuarterdeckError as error:
        show_error(error)
        status = error.exit_code
    print_json(_state(options.mount, proofs))
    return status or (0 if all(proof.ok for proof in proofs) else _UNPROVED)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="binfmt", description="Register QEMU's user-mode emulators with the kernel, and prove them.")
    # The rival is written in Go, whose options begin with one dash or two.
    parser.add_argument("-install", "--install", metavar="WHAT", default="", help="all, or architectures and platforms, with commas")
    parser.add_argument("-uninstall", "--uninstall", metavar="WHAT", default="", help="entries, architectures, platforms or patterns")
    parser.add_argument("-mount", "--mount", metavar="FOLDER", type=Path, default=FOLDER, help="where binfmt_misc is mounted")
    parser.add_argument("-version", "--version", action="store_true", help="print the version")
    return parser


def _install(names: str, mount: Path, environment: Mapping[str, str]) -> list[Proof]:
    request = Request(select([names]), _source(environment), _flags(environment), mount)
    _, proofs = set_up(request, keeper=None, tell=_tell)
    for proof in proofs:
        wrong = "; ".join(f"{probe}: {result.detail}" for probe, result in proof.results.items() if result.outcome == "fail")
        say(f"installing: {proof.arch.name} {'OK' if proof.ok else 'FAILED'}{f' ({wrong})' if wrong else ''}")
    return proofs


def _source(environment: Mapping[str, str]) -> Source:
    """QEMU_BINARY_PATH is a folder, QEMU_BINARY_PREFIX what the emulators' names begin with there."""
    folder, prefix = environment.get("QEMU_BINARY_PATH", ""), environment.get("QEMU_BINARY_PREFIX", "")
    if not folder and not prefix:
        return Source()
    return Source(Path(folder or "/usr/bin"), f"{prefix}qemu-")


def _flags(environment: Mapping[str, str]) -> str | None:
    """QEMU_PRESERVE_ARGV0 asks for flag P, and forbids it when it is set and empty."""
    wish = environment.get("QEMU_PRESERVE_ARGV0")
    if wish is None:
        return None
    return check_flags("CFP" if wish else "CF")


def _tell(plan: Plan, offer: Offer) -> None:
    for arch, error in (*offer.unusable, *offer.plain):
        say(f"{arch.name}: {error.message}: {error.reason}")
    if offer.own is not None:
        say(f"{offer.own.name}: this machine runs its programs itself")
    for step in plan.steps:
        if step.action in (Action.KEEP, Action.REFUSE):
            say(f"{step.name}: {step.reason}{f'; {step.hint}' if step.hint else ''}")


def _uninstall(names: str, mount: Path) -> None:
    outcome = take_away([names], keeper=choose(), mount=mount)
    for step in outcome.plan.steps:
        done = "OK" if step.action is Action.REMOVE else f"refused: {step.reason}; {step.hint}"
        say(f"uninstalling: {step.name} {done}")


def _state(mount: Path, proofs: Sequence[Proof]) -> dict[str, Any]:
    """Return the rival's two lists, and beside them all that we know."""
    status = proved_status(mount)
    return {
        "supported": with_variants(status.platforms, cpu_flags()),
        "emulators": [one.entry.name for one in status.entries if one.entry.enabled],
        **status.to_json(),
        "proofs": [proof.to_json() for proof in proofs],
    }


if __name__ == "__main__":
    main()
