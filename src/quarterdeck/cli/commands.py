"""The commands by name. Only the one that is called is imported: that is what makes ``qd`` start quickly."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer

import quarterdeck
from quarterdeck.cli.group import QuarterdeckCommand, QuarterdeckGroup

_RUN = "Run machines"
_LIFE = "Life of a machine"
_STORAGE = "Disks of machines"
_IMAGES = "Images of systems"
_WATCH = "Look inside"
_BUILD = "Build images"
_EMULATE = "Foreign programs"
_HOST = "This host"


@dataclass(frozen=True)
class Entry:
    """One command: the heading it stands below in the help, and where its function is."""

    panel: str
    module: str
    function: str
    takes_command: bool = False
    """Whether its arguments are a command, whose own options are not ours."""

    def load(self) -> Any:
        """Import the command's function."""
        return getattr(importlib.import_module(f"quarterdeck.cli.{self.module}"), self.function)

    def add_to(self, app: typer.Typer, name: str, _called: str) -> None:
        """Make it the command ``name`` of ``app``."""
        settings = {"allow_interspersed_args": False} if self.takes_command else {}
        app.command(name, cls=QuarterdeckCommand, rich_help_panel=self.panel, context_settings=settings)(self.load())


@dataclass(frozen=True)
class Family:
    """A command with commands of its own: ``qd binfmt install``."""

    panel: str
    help: str
    members: Mapping[str, Entry]

    def add_to(self, app: typer.Typer, name: str, called: str) -> None:
        """Make it the command ``name`` of ``app``; only the member that is ``called`` is imported, all when it is none of them."""
        family = typer.Typer(cls=QuarterdeckGroup, help=self.help, **_LOOKS)
        for member in [called] if called in self.members else self.members:
            self.members[member].add_to(family, member, "")
        app.add_typer(family, name=name, rich_help_panel=self.panel)


_LOOKS: Mapping[str, Any] = {
    "no_args_is_help": True,
    "rich_markup_mode": "markdown",
    "context_settings": {"help_option_names": ["-h", "--help"]},
}

COMMANDS: Mapping[str, Entry | Family] = {
    "run": Entry(_RUN, "run", "run"),
    "explain": Entry(_RUN, "explain", "explain"),
    "schema": Entry(_RUN, "schema", "schema"),
    "ls": Entry(_LIFE, "listing", "ls"),
    "inspect": Entry(_LIFE, "listing", "inspect"),
    "start": Entry(_LIFE, "start", "start"),
    "stop": Entry(_LIFE, "life", "stop"),
    "restart": Entry(_LIFE, "life", "restart"),
    "pause": Entry(_LIFE, "life", "pause"),
    "resume": Entry(_LIFE, "life", "resume"),
    "rm": Entry(_LIFE, "remove", "rm"),
    "snapshot": Family(
        _STORAGE,
        "Snapshots: the state of a machine's disks at one moment, with or without the running guest's memory.",
        {
            "create": Entry("", "storage.snapshot", "create"),
            "ls": Entry("", "storage.snapshot", "ls"),
            "restore": Entry("", "storage.snapshot", "restore"),
            "rm": Entry("", "storage.snapshot", "rm"),
        },
    ),
    "backup": Entry(_STORAGE, "storage.backup", "backup"),
    "restore": Entry(_STORAGE, "storage.restore", "restore"),
    "clone": Entry(_STORAGE, "storage.clone", "clone"),
    "grow": Entry(_STORAGE, "storage.grow", "grow"),
    "export": Entry(_STORAGE, "disk.export", "export"),
    "disk": Family(
        _STORAGE,
        "Disk files of all formats: what they are, in another format, new, larger or smaller.",
        {
            "info": Entry("", "disk.info", "info"),
            "convert": Entry("", "disk.convert", "convert"),
            "create": Entry("", "disk.create", "create"),
            "resize": Entry("", "disk.resize", "resize"),
        },
    ),
    "catalogue": Family(
        _IMAGES,
        "What can be booted by name: systems of many publishers, fetched and verified.",
        {
            "ls": Entry("", "catalogue.ls", "ls"),
            "show": Entry("", "catalogue.show", "show"),
            "fetch": Entry("", "catalogue.fetch", "fetch"),
            "check": Entry("", "catalogue.check", "check"),
            "prune": Entry("", "catalogue.prune", "prune"),
        },
    ),
    "usb": Family(
        _LIFE,
        "USB devices of the host that a running machine has.",
        {"ls": Entry("", "usb", "ls"), "attach": Entry("", "usb", "attach"), "detach": Entry("", "usb", "detach")},
    ),
    "open": Entry(_WATCH, "screen", "open_console"),
    "serial": Entry(_WATCH, "serial", "serial"),
    "logs": Entry(_WATCH, "logs", "logs"),
    "screenshot": Entry(_WATCH, "screen", "screenshot"),
    "build": Entry(_BUILD, "build.build", "build"),
    "plan": Entry(_BUILD, "build.plan", "plan"),
    "nodes": Family(
        _BUILD,
        "Where images are built: this host, other hosts, builders, machines.",
        {
            "add": Entry("", "nodes.add", "add"),
            "ls": Entry("", "nodes.listing", "ls"),
            "inspect": Entry("", "nodes.listing", "inspect"),
            "bootstrap": Entry("", "nodes.change", "bootstrap"),
            "use": Entry("", "nodes.change", "use"),
            "rm": Entry("", "nodes.change", "rm"),
        },
    ),
    "image": Family(_BUILD, "Look into images.", {"check": Entry("", "image.check", "check")}),
    "binfmt": Family(
        _EMULATE,
        "Run programs of foreign architectures: emulators registered with the kernel, and proved.",
        {
            "install": Entry("", "binfmt.install", "install"),
            "uninstall": Entry("", "binfmt.uninstall", "uninstall"),
            "status": Entry("", "binfmt.status", "status"),
            "prove": Entry("", "binfmt.prove", "prove"),
            "run": Entry("", "binfmt.run", "run", takes_command=True),
        },
    ),
    "doctor": Entry(_HOST, "doctor", "doctor"),
}


def build(words: Sequence[str] = ()) -> typer.Typer:
    """Return the command line; ``words`` are its arguments, of which the first two name the command that is called.

    Without a command among them it has all commands.
    """
    app = typer.Typer(name="qd", cls=QuarterdeckGroup, pretty_exceptions_enable=False, **_LOOKS)
    app.callback()(_root)
    called, inner = (*words[:2], "", "")[:2]
    for name in [called] if called in COMMANDS else COMMANDS:
        COMMANDS[name].add_to(app, name, inner)
    return app


def _version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"quarterdeck {quarterdeck.__version__}\n")
        raise typer.Exit


def _root(
    version: Annotated[bool, typer.Option("--version", "-V", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    """Run virtual machines and watch them in the browser."""
