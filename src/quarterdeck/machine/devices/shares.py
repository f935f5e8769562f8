"""Shared folders: virtiofs with a virtiofsd for each, or 9p served by QEMU."""

from __future__ import annotations

from quarterdeck.machine.devices.address import SHARE, address, virtio
from quarterdeck.machine.devices.board import board_of
from quarterdeck.machine.devices.part import Part, device, joined
from quarterdeck.machine.options import comma_argument, plain
from quarterdeck.machine.resolved import ResolvedMachine, ResolvedShare, Sidecar
from quarterdeck.machine.spec import ShareKind
from quarterdeck.machine.virtiofsd import LEGACY


def shares(machine: ResolvedMachine) -> Part:
    """Return all shared folders."""
    return joined(_share(machine, index, share) for index, share in enumerate(machine.shares))


def _share(machine: ResolvedMachine, index: int, share: ResolvedShare) -> Part:
    board = board_of(machine)
    place = address(board, SHARE, index, len(machine.shares))
    if share.kind is ShareKind.VIRTIOFS:
        path = str(machine.layout.socket(share.id))
        options = {"driver": virtio(board, "vhost-user-fs"), "id": f"{share.id}-device", "chardev": share.id, "tag": share.tag, **place}
        chardev = comma_argument("socket", id=share.id, path=path)
        return Part(("-chardev", chardev, *device(options)), (virtiofsd(machine, share),))
    options = {"driver": virtio(board, "virtio-9p"), "id": f"{share.id}-device", "fsdev": share.id, "mount_tag": share.tag, **place}
    return Part(("-fsdev", _folder(share), *device(options)))


def _folder(share: ResolvedShare) -> str:
    """Return the folder as QEMU serves it; owners and modes set by the guest are kept in extended attributes, so no privilege is needed."""
    read_only = True if share.read_only else None
    return comma_argument("local", id=share.id, path=share.path, security_model="mapped-xattr", readonly=read_only, multidevs="remap")


def virtiofsd(machine: ResolvedMachine, share: ResolvedShare) -> Sidecar:
    """Return the helper that serves one folder; the two programs of this name take different options.

    Sources: virtiofsd(1) of QEMU 7.2, and the README of virtiofsd 1.13. The Rust one runs as an ordinary user without namespaces;
    it follows no links out of the folder.
    """
    program, path = dict(machine.tools)["virtiofsd"], str(machine.layout.socket(share.id))
    words = [program, f"--socket-path={path}"]
    if program == LEGACY:
        source = plain(share.path).replace("\\", "\\\\").replace(",", "\\,")
        words += ["-f", "-o", f"source={source}", "-o", "sandbox=chroot"]
    else:
        words += [f"--shared-dir={plain(share.path)}", "--sandbox=none"]
    return Sidecar(f"virtiofsd-{share.tag}", tuple(words), path)
