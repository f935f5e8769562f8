"""A container image with a disk in it, as KubeVirt boots from: an OCI archive.

Sources: KubeVirt's user guide, "containerDisk" (the disk in /disk, readable for user 107, which QEMU runs as); OCI image specification 1.1
(layout, manifest, configuration).
"""

from __future__ import annotations

import hashlib
import json
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quarterdeck.core.arch import Arch
from quarterdeck.core.report import Reporter
from quarterdeck.errors import UsageError
from quarterdeck.media.disk.convert import move_or_write
from quarterdeck.media.disk.kinds import KINDS, Options
from quarterdeck.media.disk.thread import Tick, in_thread
from quarterdeck.media.disk.workplace import Workplace
from quarterdeck.media.export.appliance import Appliance
from quarterdeck.media.export.archive import Counted, Sink, add_bytes, member

_QEMU = 107
"""User and group that QEMU runs as in KubeVirt's pods."""
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar"


@dataclass(frozen=True)
class _Blob:
    """What an OCI descriptor says of one blob."""

    type: str
    digest: str
    size: int

    @classmethod
    def of(cls, content: bytes, type: str) -> _Blob:
        return cls(type, hashlib.sha256(content).hexdigest(), len(content))

    def descriptor(self, **more: Any) -> dict[str, Any]:
        return {"mediaType": self.type, "digest": f"sha256:{self.digest}", "size": self.size, **more}


async def write_containerdisk(machine: Appliance, made: Path, work: Workplace, *, compress: bool, report: Reporter) -> None:
    """Write an OCI archive with the only disk of ``machine`` to the new file ``made`` in ``work``.

    Raises:
        UsageError: containers know no such architecture.
        HostError: no space, or no qemu-img.
        MediaError: the disk cannot be read.
    """
    if not machine.arch.oci:
        raise UsageError("no-oci-platform", f"there are no containers for {machine.arch.name}", hint="--format qcow2 makes a disk of it")
    ((_, source),) = machine.disks
    disk = work.folder / f"{machine.name}.qcow2"
    await move_or_write(source, disk, Options(kind=KINDS[0], compress=compress), work=work, report=report)
    size = disk.stat().st_size
    work.check_room(size)
    platform = _platform(machine.arch)
    await in_thread(lambda tick: _write(disk, made, platform, tick), report=report, detail="packing the disk", total=2 * size)


def _write(disk: Path, made: Path, platform: dict[str, str], tick: Tick) -> None:
    """The layer is named by its digest before its first byte: it is made twice and stored once."""
    digest = hashlib.sha256()
    sink = Sink(digest.update)
    _layer(disk, sink, tick, before=0)
    layer = _Blob(_LAYER, digest.hexdigest(), sink.tell())
    history = [{"created_by": f"quarterdeck: the disk {disk.name}"}]
    config = _json({**platform, "config": {}, "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer.digest}"]}, "history": history})
    settings = _Blob.of(config, _CONFIG)
    manifest = _json({"schemaVersion": 2, "mediaType": _MANIFEST, "config": settings.descriptor(), "layers": [layer.descriptor()]})
    image = _Blob.of(manifest, _MANIFEST)
    annotations = {"org.opencontainers.image.ref.name": "latest"}
    index = _json({"schemaVersion": 2, "manifests": [image.descriptor(platform=platform, annotations=annotations)]})
    with made.open("wb") as file, tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
        add_bytes(tar, "oci-layout", _json({"imageLayoutVersion": "1.0.0"}))
        add_bytes(tar, "index.json", index)
        for folder in ("blobs", "blobs/sha256"):  # those that skopeo has to make by itself it gives to root, which only root may do
            tar.addfile(member(folder, 0, mode=0o755, folder=True))
        for blob, content in ((image, manifest), (settings, config)):
            add_bytes(tar, f"blobs/sha256/{blob.digest}", content)
        _add_layer(tar, layer, disk, tick)


def _add_layer(tar: tarfile.TarFile, layer: _Blob, disk: Path, tick: Tick) -> None:
    """A tar in a tar, without a copy of it in between."""
    assert tar.fileobj is not None
    head = member(f"blobs/sha256/{layer.digest}", layer.size)
    tar.fileobj.write(head.tobuf(tarfile.PAX_FORMAT))
    tar.offset = tar.fileobj.tell()
    _layer(disk, Sink(tar.fileobj.write), tick, before=disk.stat().st_size)
    padding = -layer.size % tarfile.BLOCKSIZE
    tar.fileobj.write(bytes(padding))
    tar.offset = tar.fileobj.tell()  # by which close() knows how much to pad


def _layer(disk: Path, sink: Sink, tick: Tick, *, before: int) -> None:
    with tarfile.open(fileobj=sink, mode="w", format=tarfile.PAX_FORMAT) as tar:  # type: ignore[call-overload]  # only write() and tell() are used
        tar.addfile(member("disk", 0, mode=0o555, owner=_QEMU, folder=True))
        with disk.open("rb") as content:
            counted = Counted(content, tick, before=before)
            tar.addfile(member(f"disk/{disk.name}", disk.stat().st_size, mode=0o440, owner=_QEMU), counted)


def _platform(arch: Arch) -> dict[str, str]:
    system, architecture, *variant = arch.oci.split("/")
    return {"architecture": architecture, "os": system, **({"variant": variant[0]} if variant else {})}


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()
