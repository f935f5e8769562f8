"""Find what an earlier supervisor left behind: a QEMU to take over, or remains to clear away."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace

from quarterdeck.core.handle import ProcessHandle
from quarterdeck.errors import DeadlineError, QemuError
from quarterdeck.machine.layout import MachineLayout
from quarterdeck.runtime import network
from quarterdeck.runtime.instance import Instance, remove_sockets, stop_helpers
from quarterdeck.runtime.qmp import Qmp
from quarterdeck.runtime.statefile import StoredState

_ANSWER_SECONDS = 10.0
_HELPERS = ("passt", "passt.avx2", "swtpm", "virtiofsd", "dnsmasq")


async def find(layout: MachineLayout, stored: StoredState) -> Instance | None:
    """Return the QEMU that still runs for this machine, connected, or None when there is none; ``stored`` is of this boot of the host.

    Raises:
        QemuError: QEMU lives but does not answer; it is left alone.
    """
    qemu = stored.qemu.handle() if stored.qemu is not None else None
    if qemu is None:
        return None
    try:
        qmp = await Qmp.connect(layout.socket("qmp"), qemu, layout.qemu_log, timeout=_ANSWER_SECONDS)
    except (QemuError, DeadlineError) as error:
        if not qemu.alive():
            return None
        hint = f"end it with: kill -9 {qemu.pid}"
        raise QemuError("qemu-mute", f"QEMU (pid {qemu.pid}) runs but does not answer", reason=error.message, hint=hint) from error
    helpers = tuple((name, handle) for name, process in stored.helpers if (handle := process.handle()) is not None)
    return Instance(layout, qemu, qmp, helpers, dict(stored.sockets), stored.taps)


async def clear(layout: MachineLayout, stored: StoredState) -> StoredState:
    """End what is left of a run without a QEMU to take over, and return the state without it.

    A supervisor that was killed in the moment between starting a program and writing its pid down leaves one that
    state.json does not know; such a QEMU has never run its guest.
    """
    recorded = [handle for _, process in stored.helpers if (handle := process.handle()) is not None]
    await stop_helpers([*recorded, *strays(layout)])
    await network.tear_down(layout)
    remove_sockets(layout)
    return replace(stored, qemu=None, helpers=())


def strays(layout: MachineLayout) -> Iterator[ProcessHandle]:
    """Yield QEMUs and helpers that name this machine's folder in their arguments.

    Only leaders of sessions of their own count, as the launcher starts them, so that a shell or an editor that looks
    at the same files is never taken for one.
    """
    for entry in os.listdir("/proc"):
        if entry.isdecimal() and _is_ours(int(entry), f"{layout.root}/"):
            handle = ProcessHandle.find(int(entry))
            if handle is not None:
                yield handle


def _is_ours(pid: int, folder: str) -> bool:
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            words = [os.fsdecode(word) for word in file.read().split(b"\0")]
        leads = os.getsid(pid) == pid
    except (OSError, ValueError):
        return False
    program = os.path.basename(words[0])
    known = program in _HELPERS or program.startswith("qemu-system-")
    return leads and known and any(folder in word for word in words[1:])
