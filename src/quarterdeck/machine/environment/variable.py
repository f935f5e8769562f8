"""One variable of a container, as data."""

from __future__ import annotations

from dataclasses import dataclass

from quarterdeck.machine.environment.kinds import Kind


@dataclass(frozen=True, kw_only=True)
class Variable:
    """One variable.

    Args:
        name: as the user writes it.
        kind: what its values look like.
        what: what it does here, in one line of Markdown; for one that has no effect, why.
        default: what holds without it, for the documents; empty: it is found out.
        aliases: further names of the same.
        instead: for one that has no effect: what to use. Such a variable is answered by a note.
        quiet: lower-case values that ask for what holds anyway; they are not answered.
        secret: whether ``NAME_FILE`` may name a file that holds the value.
        ours: whether the images that people come from do not know it.
    """

    name: str
    kind: Kind
    what: str
    default: str = ""
    aliases: tuple[str, ...] = ()
    instead: str = ""
    quiet: tuple[str, ...] = ()
    secret: bool = False
    ours: bool = False

    @property
    def works(self) -> bool:
        """Whether it has an effect."""
        return not self.instead
