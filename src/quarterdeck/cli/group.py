"""How all commands behave: errors become exit codes in this one place, and help shows no noise."""

from __future__ import annotations

import os
import sys
from itertools import pairwise
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from quarterdeck.cli.output import Progress, show_error, show_error_as_json
from quarterdeck.errors import HostError, QuarterdeckError, UsageError

_INTERRUPTED = 130
_WORDS = "quarterdeck.words"
_WrongWords: type[Any] = typer.BadParameter.__bases__[0]
"""The error of the library below for a command line that makes no sense (UsageError of click), of which typer names only a kind."""


class QuarterdeckGroup(TyperGroup):
    """A command group that shows errors as people can use them."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        ctx.meta[_WORDS] = list(args)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except _WrongWords as error:
            asked = _asked_as_json(ctx.meta[_WORDS])
            if asked is None:
                raise
            path = error.ctx.command_path if error.ctx else ctx.command_path
            show_error_as_json(UsageError("usage", error.format_message(), hint=f"see '{path} --help'"), as_event=asked is Progress.JSON)
            raise typer.Exit(UsageError.exit_code) from None
        except QuarterdeckError as error:
            show_error(error)
            raise typer.Exit(error.exit_code) from None
        except KeyboardInterrupt:
            raise typer.Exit(_INTERRUPTED) from None
        except BrokenPipeError:
            # The reader went away (``qd ls | head``): not an error, and nothing more can be written.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(0) from None
        except OSError as error:
            show_error(_of_the_host(error))
            raise typer.Exit(HostError.exit_code) from None

    def get_params(self, ctx: Any) -> list[Any]:
        return _without_noise(super().get_params(ctx))


class QuarterdeckCommand(TyperCommand):
    """A command whose help names what people type, and nothing else."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise
        except (QuarterdeckError, OSError) as error:
            lines = ctx.params.get("progress") is Progress.JSON
            if not lines and not ctx.params.get("json"):
                raise
            shown = error if isinstance(error, QuarterdeckError) else _of_the_host(error)
            show_error_as_json(shown, as_event=lines)
            raise typer.Exit(shown.exit_code) from None

    def get_params(self, ctx: Any) -> list[Any]:
        return _without_noise(super().get_params(ctx))

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return the words after the command; a required one stands bare, as in manual pages."""
        return [piece.replace("{", "").replace("}", "") for piece in super().collect_usage_pieces(ctx)]


def _asked_as_json(words: list[str]) -> Progress | str | None:
    """Return what a command line that could not be read asks for: ``Progress.JSON`` for lines, ``json`` for one object, or neither."""
    own = words[: words.index("--")] if "--" in words else words
    if "--progress=json" in own or any(pair == ("--progress", "json") for pair in pairwise(own)):
        return Progress.JSON
    return "json" if "--json" in own else None


def _without_noise(params: list[Any]) -> list[Any]:
    """Switches take no value, so their help names no type."""
    for param in params:
        if getattr(param, "is_flag", False):
            param.metavar = param.metavar or ""
    return params


def _of_the_host(error: OSError) -> HostError:
    """Return what the operating system refused, in words: a full disk, a folder that may not be written."""
    where = f"{error.filename}: " if error.filename else ""
    return HostError("host-refused", f"{where}{error.strerror or error}", hint="'qd doctor' looks at this host's space and permissions")
