"""Entry point of ``qd``: answers ``--version`` before anything heavy is imported, and imports only the command that is called."""

from __future__ import annotations

import sys

import quarterdeck


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
    from quarterdeck.cli.commands import COMMANDS, build

    word = sys.argv[1] if len(sys.argv) > 1 else ""
    build([word] if word in COMMANDS else COMMANDS)()


if __name__ == "__main__":
    main()
