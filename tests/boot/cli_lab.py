"""``qd`` as people and scripts start it: in a pipe, or on a terminal of its own."""

import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import ioctl

from tests.tiny_guest import tiny_image

QD = (sys.executable, "-m", "quarterdeck.cli.main")
PATIENCE = 60.0
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]|\x1b[=>]")


def plain(text: str) -> str:
    """Return what a person would read: no colours, no cursor movements."""
    return _ESCAPES.sub("", text).replace("\r", "")


def boot_words(name: str = "tiny", *more: str) -> list[str]:
    """Return the words after ``qd`` that boot the tiny guest."""
    fixed = ["--accel", "tcg", "--arch", "x86_64", "--cpus", "1", "--memory", "256M", "--viewer", "0"]
    return ["run", str(tiny_image()), "--name", name, *fixed, *more]


def qd(*words: str, stdin: str = "", timeout: float = PATIENCE, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run ``qd`` to its end in pipes."""
    return subprocess.run(
        [*QD, *words], input=stdin, capture_output=True, text=True, timeout=timeout, env={**os.environ, **environment}, check=False
    )


class Terminal:
    """A command on a pseudo terminal; what it shows is kept, ``master`` is the end that a person sits at."""

    def __init__(self, words: tuple[str, ...], *, columns: int, environment: dict[str, str]) -> None:
        self.master, slave = pty.openpty()
        ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, columns, 0, 0))
        self.modes = termios.tcgetattr(slave)
        self._slave = slave
        inherited = {key: value for key, value in os.environ.items() if key not in {"COLUMNS", "LINES", "NO_COLOR"}}
        self.process = subprocess.Popen(
            words,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**inherited, "TERM": "xterm-256color", **environment},
            start_new_session=True,
            preexec_fn=_take_terminal,
        )
        self.raw = b""

    @property
    def shown(self) -> str:
        return plain(self.raw.decode(errors="replace"))

    def expect(self, text: str, times: int = 1, timeout: float = PATIENCE) -> str:
        """Wait until ``text`` was shown ``times`` times; return all that was shown so far."""
        deadline = time.monotonic() + timeout
        while self.shown.count(text) < times:
            assert time.monotonic() < deadline, f"{text!r} never came:\n{self.shown}"
            self._read(0.2)
        return self.shown

    def type(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def send(self, number: int) -> None:
        """Send a signal to ``qd`` alone."""
        self.process.send_signal(number)

    def code(self, timeout: float = PATIENCE) -> int:
        """Wait until it ended and return its exit code."""
        deadline = time.monotonic() + timeout
        while self.process.poll() is None:
            assert time.monotonic() < deadline, f"it never ended:\n{self.shown}"
            self._read(0.1)
        self._read(0.1)
        return self.process.returncode

    def modes_now(self) -> list:
        return termios.tcgetattr(self._slave)

    def hang_up(self) -> None:
        """Close the window."""
        os.close(self.master)
        self.master = -1

    def _read(self, seconds: float) -> None:
        while self.master >= 0 and select.select([self.master], [], [], seconds)[0]:
            seconds = 0.0
            self.raw += os.read(self.master, 1 << 16)
        if self.master < 0:
            time.sleep(seconds)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for number in (self._slave, self.master):
            if number >= 0:
                os.close(number)


def _take_terminal() -> None:
    """Make standard input the controlling terminal, so that Ctrl-C is a signal."""
    ioctl(0, termios.TIOCSCTTY, 0)


@contextmanager
def terminal(*words: str, columns: int = 110, **environment: str) -> Iterator[Terminal]:
    """Run ``qd`` on a terminal of its own."""
    made = Terminal((*QD, *words), columns=columns, environment=environment)
    try:
        yield made
    finally:
        made.close()
