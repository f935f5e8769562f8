"""Entry point of ``qd``: answers ``--version`` before anything heavy is imported, and imports only the command that is called."""

from __future__ import annotations

import io
import os
import sys

import quarterdeck

_NAMES = ("qd", "quarterdeck")


def main() -> None:
    """Run the command line of this process."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        sys.stdout.write(f"quarterdeck {quarterdeck.__version__}\n")
        return
    try:
        _run()
    except KeyboardInterrupt:  # while modules were being imported
        sys.exit(130)


def _run() -> None:
    from quarterdeck.cli.commands import build

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that cannot show a name must not end the command
    called = os.path.basename(sys.argv[0])
    build(sys.argv[1:])(prog_name=called if called in _NAMES else _NAMES[0])


if __name__ == "__main__":
    main()
