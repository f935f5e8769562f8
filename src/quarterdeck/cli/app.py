"""The commands, gathered; and the one place where errors become exit codes."""

from __future__ import annotations

import os
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

import quarterdeck
from quarterdeck.cli import doctor, explain, life, listing, logs, run, schema, screen, serial
from quarterdeck.cli.output import show_error
from quarterdeck.errors import HostError, QuarterdeckError

_RUN = "Run machines"
_LIFE = "Life of a machine"
_WATCH = "Look inside"
_HOST = "This host"


class QuarterdeckGroup(TyperGroup):
    """A command group that shows errors as people can use them."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except QuarterdeckError as error:
            show_error(error)
            raise typer.Exit(error.exit_code) from None
        except KeyboardInterrupt:
            raise typer.Exit(130) from None
        except BrokenPipeError:
            # The reader went away (``qd ls | head``): not an error, and nothing more can be written.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(0) from None
        except OSError as error:
            show_error(_of_the_host(error))
            raise typer.Exit(HostError.exit_code) from None


def _of_the_host(error: OSError) -> HostError:
    """Return what the operating system refused, in words: a full disk, a folder that may not be written."""
    where = f"{error.filename}: " if error.filename else ""
    return HostError("host-refused", f"{where}{error.strerror or error}", hint="'qd doctor' looks at this host's space and permissions")


app = typer.Typer(
    name="qd",
    cls=QuarterdeckGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="Run virtual machines and watch them in the browser.",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"quarterdeck {quarterdeck.__version__}\n")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[bool, typer.Option("--version", "-V", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    """Run virtual machines and watch them in the browser."""


for _panel, _name, _function in (
    (_RUN, "run", run.run),
    (_RUN, "explain", explain.explain),
    (_RUN, "schema", schema.schema),
    (_LIFE, "ls", listing.ls),
    (_LIFE, "inspect", listing.inspect),
    (_LIFE, "start", life.start),
    (_LIFE, "stop", life.stop),
    (_LIFE, "restart", life.restart),
    (_LIFE, "pause", life.pause),
    (_LIFE, "resume", life.resume),
    (_LIFE, "rm", life.rm),
    (_WATCH, "open", screen.open_console),
    (_WATCH, "serial", serial.serial),
    (_WATCH, "logs", logs.logs),
    (_WATCH, "screenshot", screen.screenshot),
    (_HOST, "doctor", doctor.doctor),
):
    app.command(_name, rich_help_panel=_panel)(_function)
