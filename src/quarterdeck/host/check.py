"""What one check of the doctor found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """How a check ended. ``info`` is a fact that is neither good nor bad."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    INFO = "info"


@dataclass(frozen=True, kw_only=True)
class Check:
    """One finding: stable ``key`` in kebab case, title and detail in one line each.

    ``fix`` is the command or instruction that mends it, empty when there is nothing to mend. ``needed`` says that
    machines cannot run at all while this fails.
    """

    key: str
    title: str
    status: Status
    detail: str
    fix: str = ""
    needed: bool = False

    @property
    def fatal(self) -> bool:
        """Whether something needed is missing."""
        return self.needed and self.status is Status.FAIL

    def to_json(self) -> dict[str, object]:
        """Return the check as the JSON object that ``qd doctor --json`` prints."""
        return {
            "key": self.key,
            "title": self.title,
            "status": self.status.value,
            "detail": self.detail,
            "fix": self.fix,
            "needed": self.needed,
        }
