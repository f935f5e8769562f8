"""What a machine can boot from on this host, as values: images with all that they stand on, kernels."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ImageFile:
    """A disk or ISO image on this host: absolute path, format as QEMU names it (``iso`` is ``raw``), size in bytes as the guest sees it.

    ``backing`` is what it stands on where Quarterdeck made the chain; None leaves that to the image itself. ``device`` says that it is a
    block device, whose content is the disk as it is.
    """

    path: str
    format: str
    virtual_size: int
    backing: ImageFile | None = None
    device: bool = False

    def chain(self) -> tuple[ImageFile, ...]:
        """Return this image and all below it, the topmost first."""
        return (self, *(self.backing.chain() if self.backing is not None else ()))


@dataclass(frozen=True)
class KernelBoot:
    """A kernel that QEMU loads itself: absolute paths and the command line without console arguments."""

    kernel: str
    initrd: str
    cmdline: str
