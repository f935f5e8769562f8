"""The files that a machine stands on: found once, then pinned, since its overlays fit only the very images that they were made for."""

from __future__ import annotations

import dataclasses
import json
import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from quarterdeck.core import fs
from quarterdeck.core.arch import Arch
from quarterdeck.core.images import ImageFile, KernelBoot
from quarterdeck.core.report import Reporter, Step, StepStatus
from quarterdeck.errors import MediaError
from quarterdeck.machine.assets import LocalAssets
from quarterdeck.machine.layout import MachineLayout
from quarterdeck.machine.spec import FetchSpec, MachineSpec
from quarterdeck.media.boot_media import BootMedia, Fetch
from quarterdeck.media.local import resolve_image
from quarterdeck.media.resolve import resolve_boot
from quarterdeck.provision.kind import Provisioning
from quarterdeck.provision.system import BootableSystem

_FILE = "assets.json"


async def find(spec: MachineSpec, arch: Arch, layout: MachineLayout, report: Reporter) -> LocalAssets:
    """Return the files that ``spec`` names: those pinned at the first start, else found or made now.

    Raises:
        UsageError: ``boot`` names nothing.
        MediaError: an image cannot be used, or a pinned one is gone.
        HostError: an image cannot be made on this host.
    """
    before = pinned(layout)
    if before is not None:
        _check_present(before)
        report(Step("image", StepStatus.DONE, "as at the first start"))
        return before
    return await _resolve(spec, arch, report)


async def describe(spec: MachineSpec, arch: Arch, report: Reporter) -> LocalAssets:
    """Return the files that ``spec`` names, for a machine that does not exist; makes none of them. Raises: as :func:`find`."""
    return await _resolve(spec, arch, report, make=False)


def pin(layout: MachineLayout, assets: LocalAssets) -> None:
    """Remember ``assets``; to be called once the machine's disks stand on them."""
    fs.write_json(layout.root / _FILE, dataclasses.asdict(assets))


async def _resolve(spec: MachineSpec, arch: Arch, report: Reporter, *, make: bool = True) -> LocalAssets:
    media = await resolve_boot(spec.boot, arch, fetch=to_fetch(spec.fetch), report=report, make=make)
    images = [(name, await resolve_image(name)) for name in dict.fromkeys(_named_images(spec))]
    if spec.boot is None:
        report(Step("image", StepStatus.DONE, media.origin))
    return to_assets(media, images)


def to_fetch(spec: FetchSpec) -> Fetch:
    """Return how media is to fetch what ``boot`` names."""
    return Fetch(checksum=spec.checksum, unverified=spec.unverified, member=spec.member, catalogue=spec.catalogue)


def to_assets(media: BootMedia, images: Iterable[tuple[str, ImageFile]]) -> LocalAssets:
    """Return what the resolver needs of what media found."""
    system = {field.name: getattr(media, field.name) for field in dataclasses.fields(BootableSystem)}
    return LocalAssets(
        boot_disk=media.disk and marked(media.disk),
        boot_iso=media.iso and marked(media.iso),
        images=tuple((name, marked(image)) for name, image in images),
        **system,
    )


def marked(image: ImageFile) -> ImageFile:
    """Return ``image``, known as a block device where it is one.

    Raises:
        MediaError: it holds an image of some format. Guests write what they like to a device, so what it holds is never believed.
    """
    try:
        device = stat.S_ISBLK(os.stat(image.path).st_mode)
    except OSError:
        return image  # it is missed where it is opened
    if not device:
        return image
    if image.format != "raw":
        raise MediaError(
            "device-not-raw",
            f"{image.path} holds a {image.format} image, not a disk",
            reason="a guest that writes to a device could make it look so, and would reach other files of this host",
            hint="write the disk's content itself to it, or erase its first megabyte if it is nothing but data",
        )
    return dataclasses.replace(image, device=True)


def _named_images(spec: MachineSpec) -> list[str]:
    named = [*(disk.image for disk in spec.disks), *(drive.image for drive in spec.cdroms)]
    return [image for image in named if image is not None]


def pinned(layout: MachineLayout) -> LocalAssets | None:
    """Return the files that the machine's disks stand on, or None before its first start.

    Raises:
        MediaError: they are damaged; guessing would ruin the disks.
    """
    path = layout.root / _FILE
    try:
        return from_json(json.loads(path.read_bytes()))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise MediaError(
            "assets-damaged", f"{path} cannot be understood", reason=str(error), hint=f"restore it, or: qd rm {layout.root.name}"
        ) from None


def from_json(raw: dict[str, Any]) -> LocalAssets:
    """Return the assets that :func:`pin` or a backup wrote. Raises: KeyError, TypeError or ValueError when they are damaged."""
    if "seed" in raw:  # written before there were other ways than a seed
        raw = {**raw, "provisioning": Provisioning.CLOUD_INIT if raw["seed"] else None}
        del raw["seed"]
    provisioning = raw["provisioning"]
    return LocalAssets(
        **{
            **raw,
            "provisioning": None if provisioning is None else Provisioning(provisioning),
            "boot_disk": _parse_image(raw["boot_disk"]),
            "boot_iso": _parse_image(raw["boot_iso"]),
            "kernel": None if raw["kernel"] is None else KernelBoot(**raw["kernel"]),
            "images": tuple((str(name), _image_file(image)) for name, image in raw["images"]),
        }
    )


def _parse_image(raw: dict[str, Any] | None) -> ImageFile | None:
    return None if raw is None else _image_file(raw)


def _image_file(raw: dict[str, Any]) -> ImageFile:
    return ImageFile(**{**raw, "backing": _parse_image(raw.get("backing"))})


def _check_present(assets: LocalAssets) -> None:
    named = [assets.boot_disk, assets.boot_iso, *(image for _, image in assets.images)]
    paths = [part.path for image in named if image is not None for part in image.chain()]
    kernel = [] if assets.kernel is None else [assets.kernel.kernel, assets.kernel.initrd]
    for path in filter(None, [*paths, *kernel]):
        if not os.path.exists(path):
            raise MediaError(
                "image-gone", f"{path} is gone", reason="the machine's disks stand on it", hint=f"put {Path(path).name} back where it was"
            )
