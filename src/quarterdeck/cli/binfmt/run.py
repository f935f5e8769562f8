"""``qd binfmt run``: foreign programs without root and without changing the host."""

from __future__ import annotations

from typing import Annotated

import typer

from quarterdeck.binfmt.change.install import native_names, wanted_of
from quarterdeck.binfmt.change.plan import plan_install
from quarterdeck.binfmt.emulators.flags import check_flags
from quarterdeck.binfmt.emulators.offer import Source, find_offer
from quarterdeck.binfmt.private.instance import open_instance
from quarterdeck.binfmt.selection import select
from quarterdeck.cli.binfmt.options import Cpu, Flags, From, Prefix
from quarterdeck.core import paths
from quarterdeck.core.arch import host_arch

_SIGNALLED = 128


def run(
    command: Annotated[list[str], typer.Argument(metavar="COMMAND", help="The command and its arguments; best behind two dashes.")],
    arch: Annotated[
        list[str] | None,
        typer.Option("--arch", metavar="WHAT", help="Architectures that are emulated inside, as for install.  [default: all]"),
    ] = None,
    flags: Flags = None,
    folder: From = None,
    prefix: Prefix = "qemu-",
    cpu: Cpu = None,
    root: Annotated[bool, typer.Option("--root", help="Be root inside, with your subordinate ids, as unpacking a system needs.")] = False,
) -> None:
    """Run a command with emulators of its own, in a user namespace: no root, and nothing on the host changes.

    The command and what it starts see these emulators and no others. Needs Linux 6.7. The exit status is the command's.
    """
    selection = select(arch or ["all"])
    letters = None if flags is None else check_flags(flags)
    offer = find_offer(selection, Source(folder, prefix, cpu, paths.cache() / "emulators"), write=True)
    wanted = wanted_of(selection, offer.emulators, flags=letters)
    plan = plan_install(wanted, [], host=host_arch(), native=native_names())
    with open_instance(plan.registrations, root=root) as instance:
        status = instance.run_foreground(command)
    raise typer.Exit(status if status >= 0 else _SIGNALLED - status)
