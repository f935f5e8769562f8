"""What ``boot`` turns out to be, and how it may be fetched."""

from __future__ import annotations

from dataclasses import dataclass

from quarterdeck.core.images import ImageFile
from quarterdeck.provision.system import BootableSystem


@dataclass(frozen=True, kw_only=True)
class BootMedia(BootableSystem):
    """What ``boot`` turned out to be.

    ``disk`` or ``iso`` is the image; both are None when nothing was asked for. ``origin`` is one line for people.
    The rest is known of the system in it.
    """

    disk: ImageFile | None = None
    iso: ImageFile | None = None
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
