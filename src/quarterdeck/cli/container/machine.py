"""The machine of a container: from its variables to the exit code."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from quarterdeck.cli.container.disks import provide
from quarterdeck.cli.container.session import serve
from quarterdeck.cli.output import say, show_error
from quarterdeck.console.credentials import remember
from quarterdeck.core import paths
from quarterdeck.errors import HostError, QuarterdeckError
from quarterdeck.machine.environment import ContainerWish, ViewerSecrets
from quarterdeck.machine.environment.read import read_environment
from quarterdeck.machine.layout import MachineLayout
from quarterdeck.runtime.container.found import find
from quarterdeck.runtime.renew import renew
from quarterdeck.runtime.storage.service import Storage
from quarterdeck.runtime.store import MachineStore, unwritable


def run() -> int:
    """Run the machine that the container's variables and folders describe until it ended; return the exit code of docs/containers.md."""
    try:
        _check_writable(paths.home())
        wish = read_environment(os.environ, find(os.environ))
        for note in wish.notes:
            say(f"{note}", "yellow")
        provide(wish.files)
        layout = _settle(wish)
        return asyncio.run(serve(layout, wish.options))
    except QuarterdeckError as error:
        show_error(error)
        return error.exit_code


def _check_writable(home: Path) -> None:
    """Say whose the volume should be before anything is made in it. Raises: HostError."""
    if os.access(home, os.W_OK | os.X_OK):
        return
    user = os.geteuid()
    raise HostError(
        "storage-not-writable",
        f"{home} cannot be written by user {user}",
        reason="everything that the machine is lies there",
        hint=f"give the folder that is mounted there to that user ('chown {user} FOLDER'), or run the container as its owner: --user",
    )


def _settle(wish: ContainerWish) -> MachineLayout:
    """Make the machine or bring it up to date, and forget what is to be forgotten."""
    renewed = renew(MachineStore(), wish.spec)
    for note in renewed.notes:
        say(note, "yellow")
    for index, size in renewed.grows:
        _grow(renewed.layout, index, size)
    if wish.options.reset_firmware:
        renewed.layout.firmware_variables.unlink(missing_ok=True)
    _keep(wish.options.secrets, renewed.layout)
    return renewed.layout


def _keep(given: ViewerSecrets, layout: MachineLayout) -> None:
    """Keep what variables give in words as hashes; what they do not give any more lets nobody in."""
    try:
        remember(layout.secrets, password=given.password, token=given.token, view_token=given.view_token)
    except OSError as error:
        raise unwritable(error) from error


def _grow(layout: MachineLayout, index: int, size: int) -> None:
    try:
        asyncio.run(Storage(layout, lambda event: None).grow(size, index=index))
    except QuarterdeckError as error:
        # A machine with a smaller disk is better than none.
        say(f"disk {index} was not made larger: {error.message} ({error.reason})", "yellow")
