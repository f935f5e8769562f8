"""``qd-machine``, the entry point of the image quarterdeck/machine: the machine, its health, or any other command of ``qd``."""

from __future__ import annotations

import sys


def main() -> None:
    """Run what the container's command says: nothing is the machine, ``health`` the health check, all else is for ``qd``."""
    words = sys.argv[1:]
    if not words:
        from quarterdeck.cli.container.machine import run

        sys.exit(run())
    if words == ["health"]:
        from quarterdeck.cli.container.health import check

        sys.exit(check())
    from quarterdeck.cli.main import main as qd

    sys.argv = ["qd", *(words[1:] if words[0] in {"qd", "quarterdeck"} else words)]
    qd()


if __name__ == "__main__":
    main()
