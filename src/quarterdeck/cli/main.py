"""Entry point of ``qd``: answers ``--version`` before anything heavy is imported."""

from __future__ import annotations

import sys

import quarterdeck


def main() -> None:
    """Run the command line of this process."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        sys.stdout.write(f"quarterdeck {quarterdeck.__version__}\n")
        return
    from quarterdeck.cli.app import app

    app()


if __name__ == "__main__":
    main()
