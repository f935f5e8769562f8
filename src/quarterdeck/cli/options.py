"""Arguments and options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

from quarterdeck.cli.output import Progress


def _complete_machine(incomplete: str) -> list[str]:
    from quarterdeck.runtime.store import MachineStore

    return [name for name in MachineStore().names() if name.startswith(incomplete)]


Target = Annotated[
    str | None,
    typer.Argument(
        metavar="BOOT|SPEC.yaml",
        help="What boots: a name such as debian or mint:22.1 ('qd catalogue ls' lists them), the URL or path of an image, "
        "packed or not, or a spec file (.yaml).",
    ),
]
Machine = Annotated[str, typer.Argument(metavar="NAME", help="The machine.", autocompletion=_complete_machine)]
OptionalMachine = Annotated[str | None, typer.Argument(metavar="[NAME]", help="A running machine.", autocompletion=_complete_machine)]
Machines = Annotated[list[str], typer.Argument(metavar="NAME", help="The machines.", autocompletion=_complete_machine)]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
ProgressMode = Annotated[Progress, typer.Option("--progress", help="How progress is shown on stderr.")]
Timeout = Annotated[
    float | None,
    typer.Option(
        min=0, max=86400, metavar="SECONDS", help="How long the guest may take to shut down before its power is cut.  [default: 110]"
    ),
]

Name = Annotated[str | None, typer.Option("--name", help="Name of the machine.  [default: made from what boots]")]
Arch = Annotated[
    str | None, typer.Option("--arch", help="Architecture of the guest, such as x86_64, arm64, riscv64.  [default: the host's]")
]
Cpus = Annotated[str | None, typer.Option("--cpus", metavar="N|half|max", help="Virtual processors.  [default: 2]")]
Memory = Annotated[str | None, typer.Option("--memory", metavar="SIZE|half|max", help="Memory, such as 4G.  [default: 2G]")]
Disk = Annotated[str | None, typer.Option("--disk", metavar="SIZE", help="Size of the first disk, such as 40G.  [default: 20G]")]
Port = Annotated[
    list[str] | None,
    typer.Option(
        "--port",
        "-p",
        metavar="[ADDRESS:]HOST:GUEST[/udp]",
        help="Lead a port of the host to the guest; on 127.0.0.1 unless ADDRESS is given. Repeatable.",
    ),
]
Network = Annotated[
    str | None,
    typer.Option(
        "--network",
        metavar="auto|user|passt|tap[:IF]|bridge:BR|macvtap[:IF]|none",
        help="How the first network card reaches the world.  [default: auto]",
    ),
]
Accel = Annotated[
    str | None, typer.Option("--accel", metavar="auto|kvm|tcg", help="KVM where it is proved to work, or as told.  [default: auto]")
]
FirmwareKind = Annotated[
    str | None, typer.Option("--firmware", metavar="auto|uefi|uefi-secure|bios", help="What boots the guest.  [default: auto]")
]
Viewer = Annotated[
    str | None,
    typer.Option(
        "--viewer", metavar="[HOST:]PORT|off", help="Where the web console listens.  [default: 127.0.0.1:8006, or the next free port]"
    ),
]
SshKey = Annotated[
    list[str] | None, typer.Option("--ssh-key", metavar="KEY|FILE", help="Public key that may log in, or a file of them. Repeatable.")
]
User = Annotated[
    str | None, typer.Option("--user", metavar="NAME", help="The login that the first boot makes.  [default: the image's own]")
]
Hostname = Annotated[str | None, typer.Option("--hostname", metavar="NAME", help="The guest's host name.  [default: the machine's name]")]
UserData = Annotated[
    str | None,
    typer.Option("--user-data", metavar="FILE", help="cloud-init user-data, or an Ignition config, that is merged into the first boot's."),
]
Sum = Annotated[
    str | None,
    typer.Option("--checksum", metavar="ALGORITHM:VALUE", help="What the image's file must be, such as sha256:..."),
]
Unverified = Annotated[bool, typer.Option("--unverified", help="Take an image that neither a checksum nor a signature proves.")]
Member = Annotated[str | None, typer.Option("--member", metavar="NAME", help="Which image of an archive that holds several.")]
CatalogueLayers = Annotated[
    list[str] | None,
    typer.Option("--catalogue", metavar="DIR|URL", help="Further catalogue entries, over those that are known. Repeatable."),
]
