"""Recorded builds and a terminal in memory, for the tests of what is shown."""

import io
import re
import unicodedata

from rich.console import Console

from quarterdeck.build.engines.events import BuildStep, LogLine, StepEvent, StepState, Transfer, named_step
from quarterdeck.build.engines.failure import BuildFailedError, Evidence
from quarterdeck.build.nodes.model import EngineName, Runs
from quarterdeck.build.platform import Platform
from quarterdeck.build.run.events import Ended, Progressed, Started
from quarterdeck.cli import output
from quarterdeck.cli.build import progress
from quarterdeck.cli.build.progress import live, plain

AMD = Platform("linux", "amd64")
ARM = Platform("linux", "arm64")
RISCV = Platform("linux", "riscv64")

_CONTROL = re.compile(r"\x1b\[(\??[0-9;]*)([A-Za-z])")


class Clock:
    """A clock that goes on when told."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


class Screen:
    """What a terminal of ``width`` columns shows of the bytes that rich writes; lines fold, nothing scrolls off."""

    def __init__(self, width):
        self.width, self.rows, self.row, self.column, self.cursor = width, [""], 0, 0, True

    def feed(self, text):
        position = 0
        while position < len(text):
            if found := _CONTROL.match(text, position):
                self._control(found[1], found[2])
                position = found.end()
            else:
                self._character(text[position])
                position += 1
        return self

    def resize(self, width):
        """Fold the lines anew, as terminals do; a row that is full and goes on in the next is not told apart here."""
        below = self.rows[: self.row + 1]
        folded = [row[start : start + width] for row in below for start in range(0, max(1, len(row)), width)]
        last = below[-1]
        self.rows, self.row, self.column, self.width = folded, len(folded) - 1, len(last) % width or min(len(last), width), width

    def text(self):
        return "\n".join(row.rstrip() for row in self.rows).strip("\n")

    def _control(self, number, letter):
        if letter == "A":
            self.row = max(0, self.row - int(number or 1))
        elif letter == "K":
            self.rows[self.row] = ""
        elif number == "?25":
            self.cursor = letter == "h"
        else:
            assert letter == "m", (number, letter)

    def _character(self, character):
        if character == "\r":
            self.column = 0
        elif character == "\n":
            self._down()
            self.column = 0
        else:
            assert unicodedata.category(character) != "Cc" or character == "\t", character
            if self.column >= self.width:
                self._down()
                self.column = 0
            row = self.rows[self.row].ljust(self.column)
            self.rows[self.row] = row[: self.column] + character + row[self.column + 1 :]
            self.column += 1

    def _down(self):
        self.row += 1
        if self.row == len(self.rows):
            self.rows.append("")


class Terminal:
    """A console in memory in place of stderr."""

    def __init__(self, monkeypatch, *, terminal=True, width=100, height=30, encoding="utf-8", **options):
        self.file = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="backslashreplace", write_through=True)
        self.console = Console(
            file=self.file,
            force_terminal=terminal,
            width=width,
            height=height,
            color_system=None,
            soft_wrap=True,
            highlight=False,
            **options,
        )
        for module in (output, live, plain, progress):
            monkeypatch.setattr(module, "messages", self.console)
        self.screen = Screen(width)
        self._read = 0

    def written(self):
        return self.file.buffer.getvalue().decode(self.file.encoding)

    def look(self):
        """Return the screen after everything that was written."""
        new = self.written()[self._read :]
        self._read += len(new)
        self.screen.feed(new)
        return self.screen.text()


def begun(platform, name, key=None):
    return Progressed(platform, StepEvent(named_step(key or name, name), StepState.STARTED))


def ended(platform, name, state=StepState.DONE, seconds=1.0, detail="", key=None):
    return Progressed(platform, StepEvent(named_step(key or name, name), state, seconds, detail))


def said(platform, name, text):
    return Progressed(platform, LogLine(name, text))


def moved(platform, name, done, total):
    return Progressed(platform, Transfer(name, "sha256:abc", done, total))


def failed(platform, *, lines=(), step=None, error="exit code: 2"):
    evidence = Evidence(
        engine=EngineName.BUILDAH, version="1.39", platform=platform, emulated=True, step=step, error=error, lines=tuple(lines)
    )
    return Ended(platform, "box", 12.0, BuildFailedError(evidence, tuple(lines), None))


def recorded(clock):
    """Yield the events of a build for two platforms, one of them emulated, while the clock goes on."""
    build = "[build 2/3] RUN make"
    for seconds, event in (
        (0, Started(AMD, "local", "buildx 0.13", Runs.NATIVE)),
        (0, Started(ARM, "box", "buildah 1.39", Runs.EMULATED)),
        (0, begun(AMD, "[internal] load build definition")),
        (1, ended(AMD, "[internal] load build definition", seconds=0.1)),
        (0, begun(AMD, "[1/2] FROM debian")),
        (0, moved(AMD, "[1/2] FROM debian", 5 << 20, 20 << 20)),
        (1, moved(AMD, "[1/2] FROM debian", 20 << 20, 20 << 20)),
        (0, ended(AMD, "[1/2] FROM debian", StepState.CACHED, 0.0)),
        (0, begun(ARM, build)),
        (2, said(ARM, build, "cc -c main.c")),
        (60, said(ARM, build, "cc -c \x1b[31mother.c\x1b]0;title\x07")),
        (3, ended(ARM, build, seconds=65.0)),
        (0, Ended(AMD, "local", 2.0)),
        (0, Ended(ARM, "box", 67.0)),
    ):
        clock.now += seconds
        yield event


STEP = BuildStep("3", "RUN make", "build", 2, 3)
