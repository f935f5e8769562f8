"""A helper of ours in a user and mount namespace of its own."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from quarterdeck.binfmt.private import idmap, obstacles
from quarterdeck.binfmt.private.helper import Helper, HelperEndedError, open_helper
from quarterdeck.binfmt.private.idmap import IdMap

_START_SECONDS = 30.0


@contextlib.contextmanager
def open_namespace(module: str, ids: IdMap) -> Iterator[Helper]:
    """Run ``module`` inside a new user namespace that has ``ids``, and a mount namespace that shows no later mount of ours.

    The module must first tell anything at all, and finds its ids mapped when it hears an answer.

    Raises:
        HostError: unshare(1) of util-linux 2.35 or newer is missing, or the kernel refuses.
        DeadlineError: the helper does not come up.
    """
    # --keep-caps: the helper is executed before it has a user, and else would lose what it needs to mount.
    prefix = [obstacles.find_program("unshare"), "--user", "--mount", "--propagation", "private", "--keep-caps", "--"]
    with open_helper(module, prefix=prefix) as helper:
        try:
            helper.hear(_START_SECONDS)
        except HelperEndedError as error:
            raise obstacles.cannot_unshare(str(error)) from None
        idmap.write(ids, helper.pid)
        yield helper
