"""The table of variables as Markdown, for the documents."""

from __future__ import annotations

from collections.abc import Iterator

from quarterdeck.machine.environment.table import SECTIONS
from quarterdeck.machine.environment.variable import Variable


def document() -> str:
    """Return one table for each section, with headings of the second level."""
    return "\n".join(line for title, variables in SECTIONS for line in _section(title, variables))


def _section(title: str, variables: tuple[Variable, ...]) -> Iterator[str]:
    yield from (f"## {title}", "", "| variable | values | default | here |", "|---|---|---|---|")
    yield from (_row(variable) for variable in variables)
    yield ""


def _row(variable: Variable) -> str:
    names = " ".join(f"`{name}`" for name in _names(variable))
    form = variable.kind.form.replace("|", "\\|")
    return f"| {names}{' +' if variable.ours else ''} | {form} | {variable.default} | {_here(variable)} |"


def _names(variable: Variable) -> Iterator[str]:
    for name in (variable.name, *variable.aliases):
        yield name
        if variable.secret:
            yield f"{name}_FILE"


def _here(variable: Variable) -> str:
    return variable.what if variable.works else f"**No effect.** {variable.what}: {variable.instead}."
