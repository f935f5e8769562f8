"""The disks of a running machine as something to read: a copy of one moment, which whoever has them open makes."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from quarterdeck.core.report import Reporter, Step, StepStatus
from quarterdeck.media.disk.source import Source, open_tree, source_of
from quarterdeck.media.disk.workplace import Workplace
from quarterdeck.media.export.export import Form
from quarterdeck.runtime.asking import ask
from quarterdeck.runtime.exporting.room import measure, place_for_copy
from quarterdeck.runtime.storage.disks import MachineDisk
from quarterdeck.runtime.storage.subject import Subject

_CONSISTENCY = {
    "agent": "of one moment, for which the guest's file systems were frozen",
    "crash": "of one moment, as after a power cut: no guest agent froze the file systems for it",
    "stopped": "of a machine at rest",
}


@asynccontextmanager
async def copied(
    subject: Subject, disks: Sequence[MachineDisk], form: Form, *, work: Workplace, report: Reporter
) -> AsyncIterator[tuple[tuple[tuple[int, Source], ...], str]]:
    """Yield copies of ``disks`` by their numbers, and how consistent they are; the copies are gone after the block.

    ``work`` is the workplace of what is made of them.

    Raises:
        HostError: there is no room for the copies, or they cannot be made safely.
        QuarterdeckError: what the machine's supervisor answered.
    """
    need = await measure(subject, disks, form)
    with place_for_copy(need, work, subject, report) as place:
        folder = place.folder / "copies"
        number = disks[0].index if len(disks) == 1 else None
        body = {"folder": str(folder), "disk": number}
        answer = await ask(subject.layout.api_socket, "/copy", body, steps=("export",), report=report)
        consistency = str(answer["consistency"])
        report(Step("export", StepStatus.DONE, _CONSISTENCY[consistency]))
        sources = []
        for one in answer["disks"]:
            path = folder / one["file"]
            tree = {**open_tree(path, "qcow2"), "backing": None}
            source = await source_of(tree, [path], name=f"disk{one['disk']} of {subject.name}", report=report)
            # What lies beside the target may be moved there.
            sources.append((int(one["disk"]), dataclasses.replace(source, ours=place is work)))
        yield tuple(sources), consistency
