"""A QEMU without a machine that opens the disks of a machine at rest, as the same user and with the same commands as a running one.

It gets every file opened: it may open nothing by name, and it runs no guest.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from quarterdeck.core.arch import find_arch, host_arch
from quarterdeck.core.images import ImageFile
from quarterdeck.core.process import find, spawn
from quarterdeck.errors import HostError
from quarterdeck.machine.options import comma_argument
from quarterdeck.runtime.instance import end
from quarterdeck.runtime.logs import open_fresh
from quarterdeck.runtime.qmp import Qmp
from quarterdeck.runtime.storage.disks import MachineDisk
from quarterdeck.runtime.storage.subject import Subject

_ROLE = "storage"


@asynccontextmanager
async def opened(subject: Subject) -> AsyncIterator[Qmp]:
    """Yield the control connection of whoever has the machine's disks open: its QEMU, or one that is started for this.

    Raises:
        HostError: QEMU is not installed.
        QemuError: it cannot open a disk.
    """
    if subject.live is not None:
        yield subject.live.instance.qmp
        return
    async with AsyncExitStack() as stack:
        qmp = await _start(subject, stack)
        for disk in subject.disks:
            await _add_disk(qmp, disk)
        yield qmp


async def hand_over(qmp: Qmp, path: Path, *, writable: bool) -> str:
    """Open a file and return the name by which QEMU can open it.

    Raises:
        OSError: it cannot be opened.
    """
    flags = os.O_RDWR if writable else os.O_RDONLY
    handle = os.open(path, flags | os.O_CLOEXEC)
    try:
        return f"/dev/fdset/{await qmp.add_fd(handle)}"
    finally:
        os.close(handle)


async def _start(subject: Subject, stack: AsyncExitStack) -> Qmp:
    layout = subject.layout
    socket, log = layout.socket(_ROLE), layout.vm / f"{_ROLE}.log"
    socket.unlink(missing_ok=True)
    handle = open_fresh(log, subject.identity)
    try:
        process = spawn(_words(subject, socket), log=handle, cwd=layout.vm, identity=subject.identity)
    finally:
        os.close(handle)
    stack.callback(socket.unlink, missing_ok=True)
    stack.push_async_callback(end, process)
    qmp = await Qmp.connect(socket, process, log)
    stack.push_async_callback(qmp.close)
    stack.push_async_callback(qmp.quit)
    return qmp


def _words(subject: Subject, socket: Path) -> list[str]:
    arch = find_arch(subject.spec.arch) if subject.spec.arch else host_arch()
    program = find(f"qemu-system-{arch.system}")
    if program is None:
        raise HostError("program-missing", f"qemu-system-{arch.system} is not installed", hint="'qd doctor' says which package has it")
    sandbox = comma_argument("on", obsolete="deny", elevateprivileges="deny", spawn="deny", resourcecontrol="deny")
    quiet = ["-nodefaults", "-no-user-config", "-machine", "none", "-display", "none", "-S", "-sandbox", sandbox]
    return [program, *quiet, "-qmp", f"unix:{socket},server=on,wait=off"]


async def _add_disk(qmp: Qmp, disk: MachineDisk) -> None:
    backing: str | None = None
    if disk.backing is not None:
        backing = await _add_image(qmp, f"{disk.id}-base", disk.backing)
    name = await hand_over(qmp, disk.path, writable=True)
    node: dict[str, Any] = {"driver": disk.format, "node-name": disk.id, "file": {"driver": "file", "filename": name}}
    if disk.format == "qcow2":
        node["backing"] = backing
    await qmp.execute("blockdev-add", node)


async def _add_image(qmp: Qmp, root: str, image: ImageFile) -> str:
    backing: str | None = None
    chain = image.chain()
    for depth in range(len(chain), 0, -1):
        part, node_name = chain[depth - 1], f"{root}{depth}"
        file = {"driver": "file", "filename": await hand_over(qmp, Path(part.path), writable=False), "read-only": True}
        node: dict[str, Any] = {"driver": part.format, "node-name": node_name, "file": file, "read-only": True}
        if part.format == "qcow2":
            node["backing"] = backing
        await qmp.execute("blockdev-add", node)
        backing = node_name
    assert backing is not None
    return backing
