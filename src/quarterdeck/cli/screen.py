"""``qd open`` and ``qd screenshot``: the guest's screen."""

from __future__ import annotations

import sys
import webbrowser
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from quarterdeck.cli.options import Machine
from quarterdeck.cli.output import results, say
from quarterdeck.errors import UsageError


def open_console(
    name: Machine,
    view_only: Annotated[bool, typer.Option("--view-only", help="A link for somebody who may watch but not type.")] = False,
    print_only: Annotated[bool, typer.Option("--print", help="Only print the link, do not start a browser.")] = False,
    spice: Annotated[
        bool, typer.Option("--spice", help="Open the screen in remote-viewer instead, by SPICE; with --print only print its file.")
    ] = False,
) -> None:
    """Open the machine's web console in a browser, by a new one-time link."""
    from quarterdeck.cli.reach import reach

    if spice and view_only:
        raise UsageError("conflicting-options", "--spice cannot be combined with --view-only", hint="SPICE clients can always type")
    if spice:
        from quarterdeck.cli.spice import open_spice

        open_spice(reach(name), print_only=print_only)
        return
    link = reach(name).request("POST", "/links", {"view_only": view_only})["url"]
    results.print(link, markup=False)
    if not print_only and not webbrowser.open(link):
        port = urlsplit(link).port
        say(f"No browser here: open the link where there is one. Over SSH, forward the port first: ssh -L {port}:127.0.0.1:{port} HOST")


def screenshot(
    name: Machine,
    file: Annotated[str, typer.Argument(metavar="FILE", help="Where to write the PNG; '-' for standard output.")] = "",
) -> None:
    """Save a picture of the guest's screen as PNG."""
    from quarterdeck.cli.reach import reach

    target = file or f"{name}.png"
    if target == "-" and sys.stdout.isatty():
        raise UsageError("binary-on-terminal", "a PNG cannot be shown on this terminal", hint="give a file name, or redirect the output")
    picture = reach(name).fetch("GET", "/screenshot")
    if target == "-":
        sys.stdout.buffer.write(picture)
        return
    try:
        Path(target).write_bytes(picture)
    except OSError as error:
        raise UsageError("cannot-write", f"{target} cannot be written", reason=error.strerror or str(error)) from None
    results.print(target, markup=False)
