"""LocalAssets: the files that a machine boots from, found and checked before it is resolved."""

from __future__ import annotations

from dataclasses import dataclass

from quarterdeck.core.images import ImageFile, KernelBoot
from quarterdeck.provision.kind import Provisioning


@dataclass(frozen=True, kw_only=True)
class LocalAssets:
    """What ``boot`` and every ``image`` of a spec turned out to be.

    ``boot_disk`` or ``boot_iso`` is what ``boot`` named. ``kernel`` is there when the image can also boot
    without firmware; ``uefi`` says whether its disk boots under UEFI (None: unknown), ``bios`` likewise.
    ``provisioning`` says who sets the image up at its first boot (None: it does not say); ``login`` is its default user.
    ``least_memory`` and ``least_disk`` are what the system in it needs, in bytes (0: it does not say).
    ``images`` maps each ``image`` of the spec, as written there, to the file.
    """

    boot_disk: ImageFile | None = None
    boot_iso: ImageFile | None = None
    kernel: KernelBoot | None = None
    uefi: bool | None = None
    bios: bool | None = None
    provisioning: Provisioning | None = None
    login: str = ""
    least_memory: int = 0
    least_disk: int = 0
    images: tuple[tuple[str, ImageFile], ...] = ()

    def image(self, name: str) -> ImageFile:
        """Return the file that the spec calls ``name``."""
        return dict(self.images)[name]
