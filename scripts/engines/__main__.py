"""Build the engines of the second lane of tests: ``.venv/bin/python -m scripts.engines [NAME...]``, or ``make test-engines``."""

from __future__ import annotations

import argparse
import signal
import sys

from scripts.engines.build import build, say
from scripts.engines.table import engine, engines

from quarterdeck.errors import QuarterdeckError


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m scripts.engines", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="engine of engines.toml; default: all")
    words = parser.parse_args()
    # Go runs in sessions of its own: what ends us must end it too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        build([engine(name) for name in words.names] or engines())
    except QuarterdeckError as error:
        for line in filter(None, (error.message, error.reason, error.hint)):
            say(line)
        return error.exit_code
    except KeyboardInterrupt:
        say("interrupted; the next run goes on with what is there")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
