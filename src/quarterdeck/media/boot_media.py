"""What ``boot`` turns out to be, and how it may be fetched."""

from __future__ import annotations

from dataclasses import dataclass

from quarterdeck.core.images import ImageFile, KernelBoot
from quarterdeck.provision.kind import Provisioning


@dataclass(frozen=True, kw_only=True)
class BootMedia:
    """What ``boot`` turned out to be.

    ``disk`` or ``iso`` is the image; both are None when nothing was asked for. ``uefi`` and ``bios`` say how it boots
    (None: it does not say), ``kernel`` is there when it can also boot without firmware.
    ``provisioning`` says who sets it up at its first boot (None: it does not say), ``login`` is its usual user.
    ``least_memory`` and ``least_disk`` are what the system in it needs, in bytes (0: it does not say).
    ``origin`` is one line for people.
    """

    disk: ImageFile | None = None
    iso: ImageFile | None = None
    kernel: KernelBoot | None = None
    uefi: bool | None = None
    bios: bool | None = None
    provisioning: Provisioning | None = None
    login: str = ""
    least_memory: int = 0
    least_disk: int = 0
    origin: str = ""


@dataclass(frozen=True, kw_only=True)
class Fetch:
    """How what ``boot`` names is fetched and unpacked.

    ``checksum`` is ``ALGORITHM:VALUE`` of the file, ``unverified`` takes what nothing proves, ``member`` names the image in an archive
    that has several, ``catalogue`` are folders or URLs of further entries, ``refresh`` fetches or makes it although it is there.
    """

    checksum: str | None = None
    unverified: bool = False
    member: str | None = None
    catalogue: tuple[str, ...] = ()
    refresh: bool = False
