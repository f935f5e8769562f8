"""``qd explain``: what ``qd run`` would do, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from quarterdeck.cli import options
from quarterdeck.cli.output import print_json, results
from quarterdeck.cli.run import wanted
from quarterdeck.cli.table import print_folded

if TYPE_CHECKING:
    from quarterdeck.machine.explain import Explanation


def explain(
    target: options.Target = None,
    *,
    name: options.Name = None,
    arch: options.Arch = None,
    cpus: options.Cpus = None,
    memory: options.Memory = None,
    disk: options.Disk = None,
    port: options.Port = None,
    network: options.Network = None,
    accel: options.Accel = None,
    firmware: options.FirmwareKind = None,
    viewer: options.Viewer = None,
    ssh_key: options.SshKey = None,
    user: options.User = None,
    hostname: options.Hostname = None,
    user_data: options.UserData = None,
    checksum: options.Sum = None,
    unverified: options.Unverified = False,
    member: options.Member = None,
    catalogue: options.CatalogueLayers = None,
    json: options.Json = False,
) -> None:
    """Print the machine that `qd run` with the same words would make, why each thing was chosen, and the exact commands.

    Starts nothing and makes nothing. An image that is still to be made or fetched stands in the command by a path that it may have.
    """
    import asyncio

    from quarterdeck.machine.flags import Flags
    from quarterdeck.runtime.preview import preview

    flags = Flags(
        name=name, arch=arch, cpus=cpus, memory=memory, disk=disk, ports=tuple(port or ()), network=network,
        accel=accel, firmware=firmware, viewer=viewer, ssh_keys=tuple(ssh_key or ()),
        user=user, hostname=hostname, user_data=user_data,
        checksum=checksum, unverified=unverified, member=member, catalogue=tuple(catalogue or ()),
    )  # fmt: skip
    explanation = asyncio.run(preview(wanted(target, flags)))
    if json:
        print_json(explanation.to_json())
    else:
        _print(explanation)


def _print(explanation: Explanation) -> None:
    _heading("Machine")
    print_folded([[Text(row.name, style="bold"), row.value] for row in explanation.machine])
    _heading("Why")
    print_folded([[Text(choice.what, style="bold"), choice.value, Text(choice.why, style="dim")] for choice in explanation.choices])
    for program in explanation.programs:
        _heading(program.name)
        results.print(program.shell, markup=False)


def _heading(text: str) -> None:
    results.print(Text(f"\n{text}", style="bold underline"))
