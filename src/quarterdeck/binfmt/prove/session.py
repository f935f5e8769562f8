"""Our side of the helper that runs the programs."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quarterdeck.binfmt.private import idmap
from quarterdeck.binfmt.private.helper import Helper, HelperEndedError, open_helper
from quarterdeck.binfmt.private.namespace import open_namespace
from quarterdeck.errors import HostError

_RUNNER = "quarterdeck.binfmt.prove.runner"
_START_SECONDS = 30.0
_SPARE_SECONDS = 20.0


@dataclass(frozen=True)
class Task:
    """A program to run: its name in the root, and what it is told that it is called."""

    file: str
    argv0: str


@dataclass(frozen=True)
class Ended:
    """How a program ended.

    Either ``error`` (errno) says why the kernel did not start it, or ``status`` is its exit status (negative: signal). ``hung`` says that
    it had to be killed, ``words`` what it or its emulator wrote.
    """

    seconds: float
    status: int | None = None
    error: int | None = None
    hung: bool = False
    words: str = ""


class Session:
    """A runner in its root. ``owner`` is who owns the set-uid programs as seen there, or None with the reason in ``why_no_owner``."""

    def __init__(self, helper: Helper, owner: int | None, why_no_owner: str) -> None:
        self._helper = helper
        self.owner = owner
        self.why_no_owner = why_no_owner

    def run(self, tasks: Sequence[Task], *, timeout: float) -> list[Ended]:
        """Run programs, several at once, and return how they ended, in order; each is killed after ``timeout`` seconds.

        Raises:
            HostError: the runner died.
        """
        self._helper.tell({"timeout": timeout, "tasks": [{"file": f"/{task.file}", "argv0": task.argv0} for task in tasks]})
        answers = [_hear(self._helper, timeout + _SPARE_SECONDS) for _ in tasks]
        return [_ended(answer) for answer in sorted(answers, key=lambda answer: int(answer["number"]))]


def _ended(answer: dict[str, Any]) -> Ended:
    return Ended(
        seconds=float(answer["seconds"]),
        status=answer.get("status"),
        error=answer.get("error"),
        hung=bool(answer.get("hung")),
        words=str(answer.get("words", "")),
    )


@contextlib.contextmanager
def open_session(root: Path, *, setuid: Sequence[str]) -> Iterator[Session]:
    """Start a runner in the folder ``root``, where the files ``setuid`` become set-uid programs of another user if there is one.

    Root goes there as it is, others in a user namespace, which sees the emulators of its parent.

    Raises:
        HostError: neither is allowed.
    """
    with contextlib.ExitStack() as stack:
        helper, why = _enter(stack)
        helper.tell({"root": str(root), "setuid": list(setuid)})
        answer = _hear(helper, _START_SECONDS)
        if "failed" in answer:
            reason = os.strerror(int(answer["failed"] or 0))
            hint = "root needs the capabilities SYS_CHROOT, CHOWN, FSETID, SETUID and SETGID" if os.geteuid() == 0 else ""
            raise HostError("no-empty-root", "programs cannot be run in an empty root", reason=reason, hint=hint)
        yield Session(helper, answer["owner"], why)


def _enter(stack: contextlib.ExitStack) -> tuple[Helper, str]:
    """Return a helper that may change its root, and why it has one user only, should it have one user only."""
    if os.geteuid() == 0:
        helper = stack.enter_context(open_helper(_RUNNER))
        _hear(helper, _START_SECONDS)
        return helper, "this user namespace has only one user"
    try:
        return stack.enter_context(open_namespace(_RUNNER, idmap.choose(root=True))), ""
    except HostError as error:
        if error.key not in idmap.REFUSALS:
            raise
        return stack.enter_context(open_namespace(_RUNNER, idmap.choose(root=False))), error.message


def _hear(helper: Helper, timeout: float) -> dict[str, Any]:
    try:
        return helper.hear(timeout)
    except HelperEndedError as error:
        raise HostError("prover-ended", "the process that runs the proof programs ended", reason=str(error)) from None
