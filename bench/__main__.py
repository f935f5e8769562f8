"""``python -m bench [NAME...]``: run the benchmarks and print their figures."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from typing import TextIO

from bench import binfmt, build, cli, container, importing, memory, network, run_ready, vnc
from bench.figures import Figure
from quarterdeck.errors import QuarterdeckError

_BENCHMARKS: dict[str, Callable[[int], Iterator[Figure]]] = {
    "cli": cli.measure,
    "binfmt": binfmt.measure,
    "build": build.measure,
    "import": importing.measure,
    "memory": memory.measure,
    "vnc": vnc.measure,
    "ready": run_ready.measure,
    "container": container.measure,
    "network": network.measure,
}


def main() -> None:
    """Run the named benchmarks, or all of them; a goal that is missed is no error."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure Quarterdeck against named baselines of the same run.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which: {', '.join(_BENCHMARKS)} (all unless given)")
    parser.add_argument("--runs", type=int, default=3, help="samples of each side (default 3)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in _BENCHMARKS]
    if unknown or options.runs < 1:
        parser.error(f"there is no benchmark '{unknown[0]}'" if unknown else "--runs must be at least 1")
    try:
        figures = list(_measure(options.names or [*_BENCHMARKS], options.runs, sys.stderr if options.json else sys.stdout))
    except QuarterdeckError as error:
        parser.exit(error.exit_code, f"{error.message}\n{error.reason}\n{error.hint}\n")
    if options.json:
        print(json.dumps([figure.to_json() for figure in figures], indent=2))


def _measure(names: list[str], runs: int, out: TextIO) -> Iterator[Figure]:
    for name in names:
        for figure in _BENCHMARKS[name](runs):
            print(figure.line(), file=out, flush=True)
            yield figure


if __name__ == "__main__":
    main()
