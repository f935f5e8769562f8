"""Sizes in bytes, as people write and read them."""

from __future__ import annotations

import re

from quarterdeck.errors import UsageError

_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40, "P": 2**50}
_LARGEST = 2**63 - 1
"""QEMU counts bytes in signed 64-bit numbers."""
_SIZE = re.compile(r"\s*(\d{1,19})(?:\.(\d{1,9}))?\s*(?:([KMGTP])i?)?B?\s*", re.IGNORECASE | re.ASCII)


def parse_size(text: str) -> int:
    """Return the bytes that ``text`` names: ``512``, ``512M``, ``2GiB``, ``1.5 GB``, ``4Gi``.

    All units are powers of 1024, as QEMU and Docker read them. A fraction of a byte that is left over is dropped.

    Raises:
        UsageError: the text is not a size, is a fraction of a byte without a unit, or is 2^63 bytes or more.
    """
    match = _SIZE.fullmatch(text)
    if match is None:
        raise UsageError("invalid-size", f"'{text}' is not a size", hint="write a number and a unit, such as 512M or 20G")
    whole, fraction, unit = match.groups()
    factor = _UNITS[(unit or "").upper()]
    size = int(whole) * factor
    if fraction:
        extra, rest = divmod(int(fraction) * factor, 10 ** len(fraction))
        if rest and not unit:
            raise UsageError("invalid-size", f"'{text}' is not a whole number of bytes", hint="add a unit, such as 1.5G")
        size += extra
    if size > _LARGEST:
        raise UsageError("invalid-size", f"'{text}' is larger than QEMU can count", hint="the largest size is just below 8192P")
    return size


def format_size(size: int) -> str:
    """Return ``size`` bytes as a short text with a binary unit, such as ``2 GiB`` or ``1.5 MiB``."""
    value = float(size)
    units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]
    while round(abs(value), 1) >= 1024 and len(units) > 1:
        value /= 1024
        del units[0]
    text = f"{value:.1f}".removesuffix(".0")
    return f"{text} {units[0]}"
