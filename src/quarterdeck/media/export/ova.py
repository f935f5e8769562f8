"""OVA: a description, checksums and stream-optimised VMDK disks in one tar archive.

Source: DMTF DSP0243 1.1.0, chapters 5.1 (manifest) and 5.3 (order of the archive, ustar).
"""

from __future__ import annotations

import hashlib
import tarfile
from pathlib import Path

from quarterdeck.core.report import Level, Message, Reporter
from quarterdeck.media.disk.convert import write_disk
from quarterdeck.media.disk.kinds import KINDS, Options
from quarterdeck.media.disk.thread import Tick, in_thread
from quarterdeck.media.disk.workplace import Workplace
from quarterdeck.media.export.appliance import Appliance
from quarterdeck.media.export.archive import Counted, add_bytes, member, needs_more_than_ustar, read_whole
from quarterdeck.media.export.ovf import PackedDisk, describe

_VMDK = Options(kind=next(kind for kind in KINDS if kind.name == "vmdk"), compress=True)


async def write_ova(machine: Appliance, made: Path, work: Workplace, *, report: Reporter) -> None:
    """Write the package of ``machine`` to the new file ``made`` in ``work``.

    Raises:
        HostError: no space, or no qemu-img.
        MediaError: a disk cannot be read.
    """
    files: list[Path] = []
    packed: list[PackedDisk] = []
    for number, (_, source) in enumerate(machine.disks, 1):
        file = work.folder / f"{machine.name}-disk{number}.vmdk"
        await write_disk(source, file, _VMDK, work=work, report=report)
        files.append(file)
        packed.append(PackedDisk(file.name, file.stat().st_size, source.size))
    total = sum(disk.size for disk in packed)
    work.check_room(total)
    if needs_more_than_ustar([disk.size for disk in packed]):
        report(
            Message(
                Level.WARNING, "a disk is too large for ustar, the format that the standard asks for: sizes are written as GNU tar does"
            )
        )
    description = describe(machine, packed)
    await in_thread(
        lambda tick: _write(machine.name, description, files, made=made, tick=tick),
        report=report,
        detail="packing the disks",
        total=2 * total,
    )


def _write(name: str, description: bytes, files: list[Path], *, made: Path, tick: Tick) -> None:
    sums = [(f"{name}.ovf", hashlib.sha256(description).hexdigest())]
    done = 0
    for file in files:
        digest = hashlib.sha256()
        read_whole(file, digest.update, tick, before=done)
        done += file.stat().st_size
        sums.append((file.name, digest.hexdigest()))
    manifest = "".join(f"SHA256({file})= {value}\n" for file, value in sums).encode()
    large = needs_more_than_ustar([file.stat().st_size for file in files])
    with tarfile.open(made, "w", format=tarfile.GNU_FORMAT if large else tarfile.USTAR_FORMAT) as tar:
        add_bytes(tar, f"{name}.ovf", description)
        add_bytes(tar, f"{name}.mf", manifest)
        for file in files:
            size = file.stat().st_size
            with file.open("rb") as content:
                tar.addfile(member(file.name, size), Counted(content, tick, before=done))
            done += size
            file.unlink()  # room for the next one
