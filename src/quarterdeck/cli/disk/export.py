"""``qd export``: the disks of a machine for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from quarterdeck.cli.disk.doing import perform, print_made
from quarterdeck.cli.disk.options import ClusterSize, Force, Preallocation, none_is_off
from quarterdeck.cli.options import Json, Machine, ProgressMode
from quarterdeck.cli.output import Progress, say
from quarterdeck.core.size import parse_size


def export(
    name: Machine,
    to: Annotated[Path, typer.Option("--to", metavar="FILE", help="File to write.")],
    format: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="qcow2|raw|vmdk|vhdx|vdi|vhd|ova|containerdisk",
            help="Form to write.  [default: what the name ends in, else qcow2]",
        ),
    ] = None,
    disk: Annotated[
        int | None, typer.Option("--disk", metavar="N", min=0, help="Which disk, where there are several; the first is 0.")
    ] = None,
    compress: Annotated[bool, typer.Option("--compress", help="Compress it, where the form can; disks in an ova always are.")] = False,
    preallocation: Preallocation = None,
    cluster_size: ClusterSize = None,
    force: Force = False,
    json: Json = False,
    progress: ProgressMode = Progress.AUTO,
) -> None:
    """Write the disk of a machine to a file for other programs, and print the file's path.

    A running machine goes on: its disks are copied as they are at one moment, and the copy is exported. It says whether the guest's
    agent froze the file systems for that, or the copy is as after a power cut.

    **ova** is a package for VirtualBox, VMware and others: all disks and a description of the machine. **containerdisk** is an OCI
    archive with the disk in `/disk`, as KubeVirt boots from; `skopeo copy` brings it to a registry.

    UEFI variables and TPM stay here: a disk that boots by its fallback loader, as all removable ones do, boots anywhere.
    """
    from quarterdeck.cli.reach import reach
    from quarterdeck.media.export.export import CONTAINERDISK, find_form
    from quarterdeck.runtime.exporting.export import export_machine
    from quarterdeck.runtime.store import MachineStore

    clusters = None if cluster_size is None else parse_size(cluster_size)
    form = find_form(format, to, compress=compress, preallocation=none_is_off(preallocation), cluster_size=clusters)
    made = perform(
        lambda report: export_machine(MachineStore(), name, to, form=form, reach=reach, disk=disk, force=force, report=report), progress
    )
    if form.name == CONTAINERDISK:
        say(f"To a registry: skopeo copy oci-archive:{made.path} docker://REGISTRY/{name}:TAG", "dim")
    print_made(made, json=json)
