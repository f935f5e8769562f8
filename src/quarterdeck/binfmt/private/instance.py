"""Opens a private binfmt_misc and runs commands in it."""

from __future__ import annotations

import base64
import contextlib
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from quarterdeck.binfmt.kernel.registration import Registration
from quarterdeck.binfmt.private import idmap, obstacles
from quarterdeck.binfmt.private.helper import Helper, HelperEndedError
from quarterdeck.binfmt.private.namespace import open_namespace
from quarterdeck.core import process
from quarterdeck.core.process import Argv
from quarterdeck.errors import HostError, UsageError
from quarterdeck.host import binfmt_misc

_HOLDER = "quarterdeck.binfmt.private.holder"
_REGISTER_SECONDS = 30.0


@dataclass(frozen=True)
class Instance:
    """A private binfmt_misc. ``pid`` is the process that holds its namespaces, ``root`` whether commands run as root there."""

    pid: int
    root: bool
    registrations: tuple[Registration, ...]

    def argv(self, command: Argv, *, cwd: str | os.PathLike[str] | None = None, dies_with_us: bool = True) -> list[str]:
        """Return the words that run ``command`` inside, in folder ``cwd`` (default: the current one).

        The command replaces them: same process, same environment and streams. With ``dies_with_us`` the kernel kills it when the
        thread that started it ends, so that nothing is left when we are killed (not once it executed a set-uid program: prctl(2)).
        Commands that are still running when the instance closes keep the namespaces, and so the emulators, until they end.

        Raises:
            UsageError: the command is empty.
            HostError: util-linux is incomplete, or the current folder is gone.
        """
        words = [os.fspath(word) for word in command]
        if not words:
            raise UsageError("no-command", "there is no command to run", hint="put it behind two dashes: -- COMMAND")
        enter = [obstacles.find_program("nsenter"), "--target", str(self.pid), "--user", "--mount", f"--wdns={_folder(cwd)}"]
        # The emulators of a namespace serve those below it, so that in one more the caller has its own id again, and no capabilities.
        again = [] if self.root else [obstacles.find_program("unshare"), f"--map-user={os.getuid()}", f"--map-group={os.getgid()}", "--"]
        death = [obstacles.find_program("setpriv"), "--pdeathsig", "KILL", "--"] if dies_with_us else []
        # Else nsenter becomes root, which an ordinary user's namespace need not have.
        return [*enter, "--preserve-credentials", "--", *again, *death, *words]

    def run_foreground(self, command: Argv, *, cwd: str | os.PathLike[str] | None = None) -> int:
        """Run ``command`` inside with our standard streams and return its exit status (negative: signal); for the main thread.

        Raises:
            UsageError: the command is empty or holds a NUL.
            HostError: there is no such program.
        """
        argv = self.argv(command, cwd=cwd)
        program = os.fspath(command[0])
        if "/" not in program and shutil.which(program) is None:
            raise HostError("program-missing", f"{program} is not installed", hint="give its path, or install the package that has it")
        return process.run_foreground(argv)


def _folder(cwd: str | os.PathLike[str] | None) -> str:
    try:
        return os.path.abspath(cwd if cwd is not None else os.getcwd())
    except FileNotFoundError:
        raise HostError("folder-missing", "the current folder is gone", hint="change to another folder") from None


@contextlib.contextmanager
def open_instance(registrations: Sequence[Registration], *, root: bool = False) -> Iterator[Instance]:
    """Make a binfmt_misc that has exactly ``registrations``, for commands inside the ``with`` block.

    Commands run as the caller. With ``root`` an ordinary user becomes root there, with its subordinate ids beside, as builds need;
    root keeps all its ids either way. The host's registrations are neither used nor changed.

    Raises:
        HostError: the kernel is older than 6.7 or forbids it, a program is missing, or a registration is refused.
        DeadlineError: the helper process does not answer.
    """
    # Looking at it makes an automount happen while we are still where its daemon can see it.
    binfmt_misc.is_mounted()
    with open_namespace(_HOLDER, idmap.choose(root=root)) as helper:
        _fill(helper, registrations)
        yield Instance(helper.pid, root or os.geteuid() == 0, tuple(registrations))


def _fill(helper: Helper, registrations: Sequence[Registration]) -> None:
    lines = [{"line": base64.b64encode(registration.line()).decode()} for registration in registrations]
    helper.tell({"registrations": lines})
    try:
        answer = helper.hear(_REGISTER_SECONDS)
    except HelperEndedError as error:
        raise HostError("holder-ended", "the process that holds the private binfmt_misc ended", reason=str(error)) from None
    if answer.get("failed") == "mount":
        raise obstacles.cannot_mount(int(answer["errno"]))
    if answer.get("failed") == "register":
        raise obstacles.cannot_register(registrations[int(answer["number"])], int(answer["errno"]))
