"""LocalAssets: the files that a machine boots from, found and checked before it is resolved."""

from __future__ import annotations

from dataclasses import dataclass

from quarterdeck.core.images import ImageFile
from quarterdeck.provision.system import BootableSystem


@dataclass(frozen=True, kw_only=True)
class LocalAssets(BootableSystem):
    """What ``boot`` and every ``image`` of a spec turned out to be.

    ``boot_disk`` or ``boot_iso`` is what ``boot`` named; the rest is known of the system in it.
    ``images`` maps each ``image`` of the spec, as written there, to the file.
    """

    boot_disk: ImageFile | None = None
    boot_iso: ImageFile | None = None
    images: tuple[tuple[str, ImageFile], ...] = ()

    def image(self, name: str) -> ImageFile:
        """Return the file that the spec calls ``name``."""
        return dict(self.images)[name]
