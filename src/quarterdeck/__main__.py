"""``python -m quarterdeck`` is ``qd``."""

from quarterdeck.cli.main import main

main()
