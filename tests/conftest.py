"""What holds for all tests: modules that they find, signals, the engines that they share, and what runs first.

What the scripts do is tested too: they are modules below the root of the checkout, which is no installed package.
"""

import signal
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
sys.path.append(str(TESTS.parent))

# Each engine is started once for all tests of a process: modules import no fixtures, since an imported one is another one.
pytest_plugins = ("tests.engines.fixtures", "tests.engines.image", "tests.engines.newest")

# The longest first, so that processes side by side end at about the same time; the rest keeps its order.
LONGEST = (
    "boot/test_debian.py",
    "boot/test_build_node.py",
    "integration/media/test_debian_guests.py",
    "boot/",
    "integration/build/",
    "newest/",
    "browser/",
    "integration/engines/",
)

# A shell lets commands in its background ignore SIGINT, and so would every program that the tests start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: _rank(item.path.relative_to(TESTS).as_posix()))


def _rank(path: str) -> int:
    return next((rank for rank, longest in enumerate(LONGEST) if path.startswith(longest)), len(LONGEST))
