"""The host's own binfmt_misc, which tests in other processes read and change too."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.guests import shared_home

from quarterdeck.core.fs import locked


@contextmanager
def host_binfmt() -> Iterator[None]:
    """Hold the host's registrations: whoever changes them, or tells that they are the same, does it inside such a block."""
    with locked(shared_home() / "host-binfmt.lock"):
        yield
