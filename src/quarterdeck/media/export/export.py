"""One machine out into the world: the file appears whole or not at all, the disks are only read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from quarterdeck.core.report import Reporter
from quarterdeck.errors import UsageError
from quarterdeck.media.disk.convert import Made, check_replaced, finished, move_or_write
from quarterdeck.media.disk.kinds import Options, find_kind
from quarterdeck.media.disk.workplace import Workplace, check_target
from quarterdeck.media.export.appliance import Appliance
from quarterdeck.media.export.containerdisk import write_containerdisk
from quarterdeck.media.export.ova import write_ova

OVA, CONTAINERDISK = "ova", "containerdisk"
FORMATS = ("qcow2", "raw", "vmdk", "vhdx", "vdi", "vhd", OVA, CONTAINERDISK)


@dataclass(frozen=True, kw_only=True)
class Form:
    """What is to be made: one of :data:`FORMATS`, and for a disk alone its options."""

    name: str
    options: Options | None
    compress: bool = False

    @property
    def holds_all(self) -> bool:
        """Whether all disks of a machine have a place in it."""
        return self.name == OVA


def find_form(name: str | None, target: Path, *, compress: bool, preallocation: str | None = None, cluster_size: int | None = None) -> Form:
    """Return the form called ``name``, or the one that the ending of ``target`` means; ``cluster_size`` is in bytes.

    Raises:
        UsageError: there is no such form, or it lacks an option.
    """
    name = name or (OVA if target.suffix.lower() == ".ova" else None)
    if name not in (OVA, CONTAINERDISK):
        if name is not None and name not in FORMATS:
            raise UsageError("unknown-format", f"'{name}' is no form of an export", hint=f"one of: {', '.join(FORMATS)}")
        options = Options(kind=find_kind(name, target), compress=compress, preallocation=preallocation, cluster_size=cluster_size)
        options.words()
        return Form(name=options.kind.name, options=options, compress=compress)
    if preallocation is not None or cluster_size is not None:
        raise UsageError("no-such-option", f"the disks in {name} are never preallocated and have fixed clusters")
    return Form(name=name, options=None, compress=compress)


async def export(machine: Appliance, target: Path, form: Form, *, work: Workplace, force: bool, report: Reporter) -> Made:
    """Write ``machine`` to ``target``, for which ``work`` was made; one disk, unless ``form`` holds all.

    Raises:
        UsageError: the machine has no such disk, or the form does not fit it.
        MediaError: a disk cannot be read, or the target exists and ``force`` is false.
        HostError: no space, or no qemu-img.
    """
    sources = [source for _, source in machine.disks]
    target = check_target(target, force=force)
    await check_replaced(target, [path for source in sources for path in source.files])
    made = work.new(target)
    if form.options is not None:
        await move_or_write(sources[0], made, form.options, work=work, report=report)
    elif form.name == OVA:
        await write_ova(machine, made, work, report=report)
    else:
        await write_containerdisk(machine, made, work, compress=form.compress, report=report)
    for source in sources:
        source.check_unchanged()
    work.publish(made, target, force=force)
    return finished(target, form.name, sum(source.size for source in sources), report=report)
