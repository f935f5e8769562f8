"""What the scripts do is tested too: they are modules below the root of the checkout, which is no installed package."""

import signal
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))

# A shell lets commands in its background ignore SIGINT, and so would every program that the tests start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
