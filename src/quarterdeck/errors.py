"""The errors a user may see: what happened, why, what to do, and the exit code.

Every layer raises these; only the command line and the HTTP console turn them into
exit codes or answers. Exit codes are documented in ``docs/reference/exit-codes.md``:
1 a check found something, 2 wrong use, 3 host lacks something, 4 media,
5 QEMU or guest failed, 6 engine or target refused, 7 timeout.
"""

from __future__ import annotations

from dataclasses import dataclass


class QuarterdeckError(Exception):
    """An error that is shown to the user, never as a traceback.

    Args:
        key: stable machine-readable name in kebab case, such as ``disk-full``.
        message: one line that says what happened.
        reason: one line that says why, empty when the message says it all.
        hint: one line that says how to go on, empty when there is nothing to do.
    """

    exit_code = 1

    def __init__(self, key: str, message: str, *, reason: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.key = key
        self.message = message
        self.reason = reason
        self.hint = hint

    def to_json(self) -> dict[str, object]:
        """Return the error as the JSON object that ``--json`` and the HTTP API send."""
        return {
            "key": self.key,
            "message": self.message,
            "reason": self.reason,
            "hint": self.hint,
            "exit_code": self.exit_code,
        }


class UsageError(QuarterdeckError):
    """A command, option or request that makes no sense as given."""

    exit_code = 2


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong in a user's file.

    ``place`` is the dotted path of the field (``disks[0].size``), ``line`` is 1-based and
    None when the value did not come from a file.
    """

    place: str
    message: str
    line: int | None = None
    hint: str = ""

    def __str__(self) -> str:
        where = f"line {self.line}: " if self.line is not None else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{where}{self.place}: {self.message}{hint}" if self.place else f"{where}{self.message}{hint}"


class SpecError(UsageError):
    """A machine spec is invalid; carries all problems found, not only the first."""

    def __init__(self, source: str, problems: list[Problem], *, hint: str = "'qd schema' prints every field that a spec may have") -> None:
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        super().__init__(
            "invalid-spec",
            f"{source}: {count}",
            reason="\n".join(str(problem) for problem in problems),
            hint=hint,
        )
        self.problems = tuple(problems)


class HostError(QuarterdeckError):
    """This host lacks something: a program, a permission, a device, space."""

    exit_code = 3


class MediaError(QuarterdeckError):
    """An image, archive or download cannot be used."""

    exit_code = 4


class QemuError(QuarterdeckError):
    """QEMU, one of its helpers, or the guest failed."""

    exit_code = 5


class TargetError(QuarterdeckError):
    """A container engine, registry, cluster or libvirt refused what was asked."""

    exit_code = 6


class DeadlineError(QuarterdeckError):
    """Something did not happen in the time it was given."""

    exit_code = 7
