"""The supervisor process of one machine: ``python -m quarterdeck.cli.supervise NAME [--adopt]``.

Started by ``qd``, never by people. It joins the two halves: the runtime's supervisor and the console's server. It imports neither typer
nor rich, since it lives as long as the machine does.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from urllib.parse import urlsplit

from quarterdeck.console.server import ConsoleServer
from quarterdeck.console.viewer import Viewer, viewer_from
from quarterdeck.errors import QuarterdeckError, UsageError
from quarterdeck.runtime.spawn import tell_failed, tell_ready
from quarterdeck.runtime.store import MachineStore, check_writable
from quarterdeck.runtime.supervisor import Supervisor


def main() -> None:
    """Supervise the machine named on the command line until it is finished; the exit code is the machine's."""
    name, adopt = sys.argv[1], "--adopt" in sys.argv[2:]
    try:
        code = asyncio.run(_supervise(name, adopt=adopt))
    except QuarterdeckError as error:
        tell_failed(error)
        sys.stderr.write(f"{error.message}\n")
        code = error.exit_code
    sys.exit(code)


async def _supervise(name: str, *, adopt: bool) -> int:
    store = MachineStore()
    record = store.get(name)
    if adopt and not record.qemu_alive:
        raise UsageError("not-running", f"machine '{name}' ended just now", hint=f"start it: qd start {name}")
    if not record.qemu_alive:
        check_writable(store.layout(name))
    supervisor = Supervisor.open(store, name)
    _obey_signals(supervisor)
    server = ConsoleServer(
        supervisor,
        socket_path=supervisor.layout.api_socket,
        secrets_path=supervisor.layout.secrets,
        viewer=viewer_of(supervisor, record.viewer),
    )
    await server.start()
    try:
        supervisor.viewer_at(server.viewer_url)
        tell_ready()
        return await supervisor.run()
    finally:
        await server.stop()


def viewer_of(supervisor: Supervisor, before: str | None) -> Viewer | None:
    """Return where to listen; ``before`` is the URL of the last run, so that open pages find the machine again."""
    return viewer_from(supervisor.spec.viewer, previous=urlsplit(before).port if before else None)


def _obey_signals(supervisor: Supervisor) -> None:
    """SIGTERM and SIGINT shut the guest down, a second one cuts its power; SIGHUP is for those who have a terminal."""
    loop = asyncio.get_running_loop()
    tasks: set[asyncio.Task[None]] = set()

    def stop() -> None:
        task = loop.create_task(supervisor.kill() if tasks else supervisor.stop())
        tasks.add(task)

    loop.add_signal_handler(signal.SIGTERM, stop)
    loop.add_signal_handler(signal.SIGINT, stop)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


if __name__ == "__main__":
    main()
