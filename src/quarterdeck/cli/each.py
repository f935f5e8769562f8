"""Doing one thing with several machines."""

from __future__ import annotations

from collections.abc import Callable

import typer

from quarterdeck.cli.output import results, show_error
from quarterdeck.errors import QuarterdeckError


def each(names: list[str], action: Callable[[str], None]) -> None:
    """Do ``action`` for every machine, also when one fails, and print the names of those where it went well.

    Raises:
        Exit: with the exit code of the first failure.
    """
    failed: QuarterdeckError | None = None
    for name in dict.fromkeys(names):
        try:
            action(name)
            results.print(name, markup=False)
        except QuarterdeckError as error:
            show_error(error)
            failed = failed or error
    if failed is not None:
        raise typer.Exit(failed.exit_code)
