"""What an archive may cost: sizes, depth, memory, and how much more may come out than went in."""

from __future__ import annotations

from dataclasses import dataclass

from quarterdeck.core.size import format_size
from quarterdeck.errors import MediaError
from quarterdeck.media.packing.failures import unsafe


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The most that unpacking may take; beyond it the archive is refused.

    ``size`` is the largest image in bytes as the guest sees it, ``depth`` how many packings may lie inside each other, ``members`` how
    many an archive may have, ``memory`` bytes for one decoder. ``ratio`` is unpacked to packed bytes; ``dense_ratio`` counts only bytes
    that are stored, since a blank disk packs to almost nothing. Neither matters before ``slack`` bytes have come out.
    """

    size: int = 1 << 41
    depth: int = 6
    members: int = 10_000
    memory: int = 1 << 29
    ratio: int = 50_000
    dense_ratio: int = 1_000
    slack: int = 4 << 30


class Budget:
    """Counts what goes in and comes out of one archive called ``name``, and stops at the limits."""

    def __init__(self, limits: Limits, name: str) -> None:
        self.limits = limits
        self.packed = 0
        self.unpacked = 0
        self.stored = 0
        self._name = name

    def take(self, size: int) -> None:
        """Count ``size`` bytes read from the source."""
        self.packed += size

    def give(self, size: int) -> None:
        """Count ``size`` bytes that a decoder made.

        Raises:
            MediaError: that is a bomb.
        """
        self.unpacked += size
        self._check(self.unpacked, self.limits.ratio)

    def store(self, size: int) -> None:
        """Count ``size`` bytes that take space on disk.

        Raises:
            MediaError: that is a bomb.
        """
        self.stored += size
        self._check(self.stored, self.limits.dense_ratio)

    def check_size(self, size: int) -> None:
        """Refuse an image of ``size`` bytes that is too large.

        Raises:
            MediaError: it is.
        """
        if size > self.limits.size:
            raise MediaError(
                "image-too-large",
                f"the image in {self._name} is too large",
                reason=f"it has {format_size(size)} or more, and at most {format_size(self.limits.size)} are allowed",
            )

    def _check(self, out: int, ratio: int) -> None:
        if out > self.limits.slack and out > self.packed * ratio:
            raise unsafe(self._name, f"it is a bomb: {format_size(self.packed)} of it became {format_size(out)}")
