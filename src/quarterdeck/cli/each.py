"""Doing one thing with several machines."""

from __future__ import annotations

from collections.abc import Callable

import typer

from quarterdeck.cli.output import results, show_error
from quarterdeck.errors import QuarterdeckError


def each(names: list[str], *actions: Callable[[str], None]) -> None:
    """Do all ``actions`` for every machine, also when one fails, and print the names of those where all went well.

    Each action is begun for all machines before the next one is.

    Raises:
        Exit: with the exit code of the first failure.
    """
    left, code = list(dict.fromkeys(names)), 0
    for number, action in enumerate(actions, start=1):
        for name in list(left):
            try:
                action(name)
            except QuarterdeckError as error:
                show_error(error)
                left.remove(name)
                code = code or error.exit_code
            else:
                if number == len(actions):
                    results.print(name, markup=False)
    if code:
        raise typer.Exit(code)
