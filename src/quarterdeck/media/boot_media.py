"""What ``boot`` turns out to be, and how it may be fetched."""

from __future__ import annotations

from dataclasses import dataclass

from quarterdeck.provision.kind import Provisioning


@dataclass(frozen=True)
class Image:
    """A disk or ISO image on this host: absolute path, format as QEMU names it (``iso`` is ``raw``), size in bytes as the guest sees it."""

    path: str
    format: str
    virtual_size: int


@dataclass(frozen=True)
class BootKernel:
    """A kernel that QEMU can load itself: absolute paths and the command line without console arguments."""

    kernel: str
    initrd: str
    cmdline: str


@dataclass(frozen=True, kw_only=True)
class BootMedia:
    """What ``boot`` turned out to be.

    ``disk`` or ``iso`` is the image; both are None when nothing was asked for. ``uefi`` and ``bios`` say how it boots
    (None: it does not say), ``kernel`` is there when it can also boot without firmware.
    ``provisioning`` says who sets it up at its first boot (None: it does not say), ``login`` is its usual user.
    ``least_memory`` and ``least_disk`` are what the system in it needs, in bytes (0: it does not say).
    ``origin`` is one line for people.
    """

    disk: Image | None = None
    iso: Image | None = None
    kernel: BootKernel | None = None
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
