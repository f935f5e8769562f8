"""One running QEMU with its control connection and helpers."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from quarterdeck.core.handle import ProcessHandle
from quarterdeck.errors import DeadlineError, QemuError
from quarterdeck.machine.layout import MachineLayout
from quarterdeck.runtime import network
from quarterdeck.runtime.qmp import Qmp

_GRACE_SECONDS = 5.0


@dataclass
class Instance:
    """QEMU (``process``), its QMP connection and its helpers; ``sockets`` maps roles to paths, ``taps`` names host devices.

    Owns the processes: :meth:`close` leaves nothing behind.
    """

    layout: MachineLayout
    process: ProcessHandle
    qmp: Qmp
    helpers: tuple[tuple[str, ProcessHandle], ...] = ()
    sockets: Mapping[str, str] = field(default_factory=dict)
    taps: tuple[str, ...] = ()

    def socket(self, role: str) -> Path | None:
        """Return the Unix socket of ``role``, or None when the machine has no such thing."""
        path = self.sockets.get(role)
        return None if path is None else Path(path)

    async def reconnect(self) -> None:
        """Open a new QMP connection to the same QEMU.

        Raises:
            QemuError, DeadlineError: QEMU does not answer.
        """
        await self.qmp.close()
        self.qmp = await Qmp.connect(self.layout.socket("qmp"), self.process, self.layout.qemu_log, timeout=_GRACE_SECONDS)

    async def kill(self) -> None:
        """End QEMU at once: ``quit``, then SIGKILL when it does not obey."""
        with contextlib.suppress(QemuError, DeadlineError):
            await self.qmp.quit()
        await end(self.process)

    async def close(self) -> None:
        """End whatever still runs, and remove its networks and the sockets."""
        if self.process.alive():
            await self.kill()
        await self.qmp.close()
        await stop_helpers(handle for _, handle in self.helpers)
        await network.tear_down(self.layout)
        remove_sockets(self.layout)


async def end(process: ProcessHandle, *, grace: float = _GRACE_SECONDS) -> None:
    """Wait ``grace`` seconds for ``process``, then kill it and wait until it is gone."""
    try:
        async with asyncio.timeout(grace):
            await process.wait()
    except TimeoutError:
        process.send(signal.SIGKILL)
        await process.wait()


async def stop_helpers(helpers: Iterable[ProcessHandle]) -> None:
    """End helpers: SIGTERM, then SIGKILL."""
    running = list(helpers)
    for helper in running:
        helper.send(signal.SIGTERM)
    for helper in running:
        await end(helper)


def remove_sockets(layout: MachineLayout) -> None:
    """Remove Unix sockets of an earlier run from the machine's folder."""
    for path in layout.vm.glob("*.sock"):
        if path.is_socket() and not path.is_symlink():
            path.unlink(missing_ok=True)
