"""What a rule says about a Dockerfile, and the changes to its text that go with it."""

from __future__ import annotations

from dataclasses import dataclass

from quarterdeck.build.dockerfile.model import Span


@dataclass(frozen=True, order=True)
class Edit:
    """One change within one line: what stands from ``column`` up to ``end`` becomes ``text``.

    ``line`` is 1-based, the columns count characters from 0. An ``end`` one past the line's last character takes the line break too.
    Line breaks in ``text`` take the form of the file's own.
    """

    line: int
    column: int
    end: int
    text: str

    @property
    def whole_lines(self) -> bool:
        """Whether it puts lines of their own before its line and touches nothing else."""
        return self.column == self.end == 0 and self.text.endswith("\n")


@dataclass(frozen=True, kw_only=True)
class Advice:
    """One thing that could be better.

    ``rule`` is the rule's name in kebab case; ``message`` says what, ``why`` gives the reason, and what the patch leaves open when it is
    not known to be safe; ``gain`` is what it brings, in words. ``patch`` is None where only a person can make the change. ``safe``: the
    images stay the same or become right for their platform, as far as the Dockerfile and the documented behaviour of its tools tell.
    """

    rule: str
    span: Span
    stage: str
    message: str
    why: str
    gain: str
    patch: tuple[Edit, ...] | None = None
    safe: bool = False

    def to_json(self) -> dict[str, object]:
        """Return the advice as the JSON object that ``--json`` prints; lines are 1-based, columns count from 0."""
        edits = [vars(edit) for edit in self.patch] if self.patch is not None else None
        lines = {"first_line": self.span.first, "last_line": self.span.last}
        words = {"rule": self.rule, "stage": self.stage, "message": self.message, "why": self.why, "gain": self.gain}
        return {**words, **lines, "safe": self.safe, "patch": edits}
