"""The formats that disks are written in, and which options each of them has.

Source: the ``create_opts`` of QEMU's ``block/*.c`` (7.2 and 10.0), as ``qemu-img create -f FORMAT -o help`` prints them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from quarterdeck.core.size import format_size
from quarterdeck.errors import UsageError

_KIB, _MIB = 1 << 10, 1 << 20


@dataclass(frozen=True)
class Clusters:
    """The option that sets the unit of allocation: its name, and the smallest and largest power of two in bytes."""

    option: str
    least: int
    most: int


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A format to write: our name, QEMU's driver, options that it always gets, and endings of file names that mean it.

    ``compress`` are further options of a compressed disk, None when there is no such thing; ``preallocations`` maps each mode to its
    options; ``clusters`` is None where the unit is fixed; ``resizable`` says that qemu-img can change the size where the disk lies.
    """

    name: str
    driver: str
    endings: tuple[str, ...]
    options: tuple[str, ...] = ()
    compress: tuple[str, ...] | None = None
    preallocations: Mapping[str, str] = field(default_factory=dict)
    clusters: Clusters | None = None
    resizable: bool = False


KINDS = (
    Kind(
        name="qcow2", driver="qcow2", endings=(".qcow2",), compress=(), clusters=Clusters("cluster_size", 512, 2 * _MIB), resizable=True,
        preallocations={mode: f"preallocation={mode}" for mode in ("metadata", "falloc", "full")},
    ),
    Kind(
        name="raw", driver="raw", endings=(".raw", ".img", ".dd", ".bin"), resizable=True,
        preallocations={mode: f"preallocation={mode}" for mode in ("falloc", "full")},
    ),
    Kind(name="vmdk", driver="vmdk", endings=(".vmdk",), compress=("subformat=streamOptimized",)),
    Kind(
        name="vhdx", driver="vhdx", endings=(".vhdx",), preallocations={"metadata": "subformat=fixed"},
        clusters=Clusters("block_size", _MIB, 256 * _MIB),
    ),
    Kind(name="vdi", driver="vdi", endings=(".vdi",), preallocations={"metadata": "static=on"}),
    # Without force_size the size is rounded up to what cylinders, heads and sectors can say, and the copy would be another disk.
    Kind(
        name="vhd", driver="vpc", endings=(".vhd", ".vpc"), options=("force_size=on",), preallocations={"metadata": "subformat=fixed"},
    ),
    # QEMU takes larger clusters by its documents, but counts the largest size of such a disk in 64 bits that overflow.
    Kind(name="qed", driver="qed", endings=(".qed",), clusters=Clusters("cluster_size", 4 * _KIB, 2 * _MIB), resizable=True),
    Kind(name="parallels", driver="parallels", endings=(".hdd", ".hds"), clusters=Clusters("cluster_size", _MIB, 16 * _MIB)),
    # QEMU compresses it too, but fails where the last cluster is not whole.
    Kind(name="qcow", driver="qcow", endings=(".qcow",)),
)  # fmt: skip
"""All formats that can be written. DMG can only be read."""

_BY_NAME = {kind.name: kind for kind in KINDS} | {"vpc": next(kind for kind in KINDS if kind.name == "vhd")}


@dataclass(frozen=True, kw_only=True)
class Options:
    """How a disk is written: ``cluster_size`` in bytes, None for what the format does by itself.

    ``more`` are options that qemu-img judges, each ``KEY=VALUE``.
    """

    kind: Kind
    compress: bool = False
    preallocation: str | None = None
    cluster_size: int | None = None
    more: tuple[str, ...] = ()

    @property
    def plain(self) -> bool:
        """Whether nothing but the format is asked for."""
        return not (self.compress or self.preallocation or self.cluster_size or self.more)

    def words(self) -> list[str]:
        """Return the ``-o`` options for ``qemu-img create``.

        Raises:
            UsageError: the format has no such option, or they contradict each other.
        """
        kind = self.kind
        chosen = [*kind.options, *self._compress(), *self._preallocation(), *self._clusters(), *self.more]
        return [word for option in chosen for word in ("-o", option)]

    def _compress(self) -> tuple[str, ...]:
        if not self.compress:
            return ()
        if self.kind.compress is None:
            able = ", ".join(kind.name for kind in KINDS if kind.compress is not None)
            raise UsageError("cannot-compress", f"a {self.kind.name} disk cannot be compressed", reason="the format has no compression",
                             hint=f"these have: {able}; or compress the file afterwards")  # fmt: skip
        if self.preallocation is not None:
            raise UsageError("options-contradict", "a compressed disk cannot be preallocated", reason="its size is known at the end only")
        return self.kind.compress

    def _preallocation(self) -> list[str]:
        if self.preallocation is None:
            return []
        option = self.kind.preallocations.get(self.preallocation)
        if option is None:
            modes = ", ".join(self.kind.preallocations) or "none"
            raise UsageError("cannot-preallocate", f"a {self.kind.name} disk has no preallocation '{self.preallocation}'",
                             reason=f"modes of this format: {modes}")  # fmt: skip
        return [option]

    def _clusters(self) -> list[str]:
        size, clusters = self.cluster_size, self.kind.clusters
        if size is None:
            return []
        if clusters is None:
            able = ", ".join(kind.name for kind in KINDS if kind.clusters is not None)
            raise UsageError("no-cluster-size", f"a {self.kind.name} disk has no choice of cluster size", reason=f"these have: {able}")
        if not clusters.least <= size <= clusters.most or size & (size - 1):
            least, most = format_size(clusters.least), format_size(clusters.most)
            reason = f"{self.kind.name} takes powers of two from {least} to {most}"
            raise UsageError("invalid-cluster-size", f"{format_size(size)} is no cluster size", reason=reason)
        return [f"{clusters.option}={size}"]


def find_kind(name: str | None, target: Path) -> Kind:
    """Return the format called ``name``, or the one that the ending of ``target`` means; qcow2 when it means none.

    Raises:
        UsageError: there is no such format.
    """
    if name is None:
        ending = target.suffix.lower()
        return next((kind for kind in KINDS if ending in kind.endings), KINDS[0])
    if name not in _BY_NAME:
        raise UsageError("unknown-format", f"'{name}' is no format that can be written", hint=f"one of: {', '.join(_BY_NAME)}")
    return _BY_NAME[name]
