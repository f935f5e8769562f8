"""One run of the container's machine: supervisor, console and log in one process, below the container's first."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from quarterdeck.cli.container import log, serial
from quarterdeck.cli.supervise import viewer_of
from quarterdeck.console.server import ConsoleServer
from quarterdeck.machine.environment import ContainerOptions, OnPoweroff
from quarterdeck.machine.layout import MachineLayout
from quarterdeck.runtime.store import MachineStore
from quarterdeck.runtime.supervisor import Supervisor


async def serve(layout: MachineLayout, options: ContainerOptions) -> int:
    """Supervise the machine of ``layout`` and serve its console until it is finished; return its exit code.

    Raises:
        QuarterdeckError: a socket cannot be opened, or another container uses the same storage.
    """
    supervisor = Supervisor.open(MachineStore(), layout.root.name)
    supervisor.lingers = options.on_poweroff is OnPoweroff.STOP
    _obey_signals(supervisor, options.timeout)
    server = ConsoleServer(supervisor, socket_path=layout.api_socket, secrets_path=layout.secrets, viewer=viewer_of(supervisor, None))
    await server.start()
    try:
        supervisor.viewer_at(server.viewer_url)
        async with _beside(log.follow(supervisor, server), serial.carry(supervisor)):
            return await supervisor.run()
    finally:
        await server.stop()


@asynccontextmanager
async def _beside(*works: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Do ``works`` as long as the block lasts; they get a moment to say what came last."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        yield
    finally:
        await asyncio.wait(tasks, timeout=1.0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _obey_signals(supervisor: Supervisor, timeout: int) -> None:
    """The first signal shuts the guest down, the second cuts its power; engines send SIGTERM, terminals SIGINT."""
    loop = asyncio.get_running_loop()
    tasks: set[asyncio.Task[None]] = set()

    def stop() -> None:
        tasks.add(loop.create_task(supervisor.kill() if tasks else supervisor.stop(float(timeout))))

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
        if number is not signal.SIGHUP or sys.stdin.isatty():
            loop.add_signal_handler(number, stop)
