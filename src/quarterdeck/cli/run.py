"""``qd run``: from a word, a file or a spec to a running machine."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from quarterdeck.cli import options
from quarterdeck.cli.output import Progress, say
from quarterdeck.errors import QuarterdeckError, UsageError

if TYPE_CHECKING:
    from quarterdeck.cli.attach import Attachment
    from quarterdeck.machine.flags import Flags
    from quarterdeck.machine.layout import MachineLayout
    from quarterdeck.machine.spec import MachineSpec
    from quarterdeck.runtime.store import MachineStore


def run(
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
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Return when the guest runs; it goes on in the background.")] = False,
    remove: Annotated[bool, typer.Option("--rm", help="Delete the machine and its disks when it ends.")] = False,
    refresh: Annotated[bool, typer.Option("--refresh", help="Make or fetch the image anew first, with what is there today.")] = False,
    progress: options.ProgressMode = Progress.AUTO,
) -> None:
    """Make a machine and boot it, here in the foreground.

    `qd run debian` makes a Debian guest from the Debian mirror; `qd run mint` and `qd run fedora-cloud` fetch what
    `qd catalogue ls` lists, and `qd run https://.../disk.qcow2.xz` what is there, each proved by a checksum or a signature;
    `qd run ./disk.zip` boots an image of this host, which is never written to; `qd run machine.yaml` takes a spec
    (`qd schema` lists its fields). Flags override the spec.

    The first **Ctrl-C** shuts the guest down, the second cuts its power. A guest that powers itself off ends the command
    with 0. The machine and its disks stay: `qd start NAME` boots it again, `qd rm NAME` deletes it.
    """
    from quarterdeck.cli.attach import Attachment
    from quarterdeck.cli.inbox import Inbox
    from quarterdeck.cli.refresh import refresh as refresh_image
    from quarterdeck.machine.flags import Flags
    from quarterdeck.runtime.store import MachineStore

    if detach and remove:
        raise UsageError("conflicting-options", "--rm cannot be combined with --detach", hint="delete the machine later with: qd rm NAME")
    flags = Flags(
        name=name, arch=arch, cpus=cpus, memory=memory, disk=disk, ports=tuple(port or ()), network=network,
        accel=accel, firmware=firmware, viewer=viewer, ssh_keys=tuple(ssh_key or ()),
        user=user, hostname=hostname, user_data=user_data,
        checksum=checksum, unverified=unverified, member=member, catalogue=tuple(catalogue or ()),
    )  # fmt: skip
    spec = wanted(target, flags)
    if refresh:
        refresh_image(spec, progress)
    store = MachineStore()
    layout = store.create(spec)
    inbox = Inbox()
    if detach:
        _boot_detached(store, layout, Attachment(layout, inbox, progress))
        return
    with inbox.signals():
        code = _boot(store, layout, Attachment(layout, inbox, progress), remove=remove)
    raise typer.Exit(code)


def _boot(store: MachineStore, layout: MachineLayout, attachment: Attachment, *, remove: bool) -> int:
    """Boot in the foreground; a machine that never came to life leaves nothing behind."""
    from quarterdeck.cli.reach import begin

    try:
        return attachment.until_end(begin(layout))
    finally:
        if remove or not layout.qemu_log.exists():
            _discard(store, layout)


def _boot_detached(store: MachineStore, layout: MachineLayout, attachment: Attachment) -> None:
    """Boot in the background; when the wait is interrupted the machine goes on."""
    from quarterdeck.cli.reach import begin

    try:
        attachment.until_up(begin(layout))
    except QuarterdeckError:
        if not layout.qemu_log.exists():
            _discard(store, layout)
        raise
    except KeyboardInterrupt:
        say(f"{layout.root.name} goes on in the background; end it with: qd stop {layout.root.name}", "yellow")
        raise


def _discard(store: MachineStore, layout: MachineLayout) -> None:
    """Remove a machine that nobody will look for; one that runs on stays, and that was said already."""
    with suppress(UsageError):
        store.remove(layout.root.name)


def wanted(target: str | None, flags: Flags) -> MachineSpec:
    """Return the spec that the command line describes.

    Raises:
        UsageError: nothing to boot is named, or the spec file or a flag is wrong.
    """
    from quarterdeck.machine.flags import override
    from quarterdeck.machine.load import load_spec
    from quarterdeck.machine.spec import MachineSpec

    if target is None:
        raise UsageError(
            "nothing-to-boot", "nothing to boot was named", hint="name an image, a spec file, or a name such as debian: qd run debian"
        )
    if not target.endswith((".yaml", ".yml")):
        return override(MachineSpec(boot=target), flags)
    try:
        text = Path(target).read_bytes()
    except OSError as error:
        raise UsageError("spec-unreadable", f"{target} cannot be read", reason=error.strerror or str(error)) from None
    return override(load_spec(text, target), flags)
