"""From a stored stream to an image that a machine can use: checked, and converted to qcow2 where it must be."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from struct import unpack_from

from quarterdeck.core.process import ProcessError, run
from quarterdeck.errors import MediaError
from quarterdeck.media.disk.tool import run_tool_in_thread
from quarterdeck.media.formats import ImageFormat, detect_format, open_image, read_at
from quarterdeck.media.packing.failures import damaged, truncated
from quarterdeck.media.packing.limits import Budget
from quarterdeck.media.packing.vhd import cut_footer
from quarterdeck.media.references import check_references

_SECTOR = 512
_ISO_SECTOR = 2048
_KEPT = (ImageFormat.QCOW2, ImageFormat.RAW, ImageFormat.ISO)
_NAMES = {ImageFormat.QCOW2: "disk.qcow2", ImageFormat.RAW: "disk.raw", ImageFormat.ISO: "disc.iso"}

Watch = Callable[[int, int], None]
"""Called several times a second while a disk is converted, with its bytes that are done and all that it has; what it raises ends that."""


def unwatched(done: int, total: int) -> None:
    """The watch of callers that do not care."""


@dataclass(frozen=True)
class Settled:
    """A stored image that is not looked at yet. ``parts`` are files and folders that go when it is done; ``decoded``: written by a reader.

    ``path`` may be a file that is not ours; then it is in no ``parts`` and stays.
    """

    path: Path
    name: str
    parts: tuple[Path, ...] = ()
    decoded: bool = False

    def discard(self) -> None:
        """Remove what was stored."""
        for part in self.parts:
            if part.is_dir():
                shutil.rmtree(part, ignore_errors=True)
            else:
                part.unlink(missing_ok=True)


def finish_image(stored: Settled, folder: Path, budget: Budget, *, watch: Watch = unwatched) -> tuple[Path, ImageFormat]:
    """Return path and format of the image made of ``stored``: qcow2, raw or iso, in ``folder`` and not one byte larger than needed.

    Raises:
        MediaError: it is damaged, cut off, too large, or needs files that are not there.
        HostError: no space, or qemu-img is not installed.
        QuarterdeckError: what ``watch`` raises.
    """
    kind = _format(stored)
    if kind not in _KEPT:
        return _convert(stored, kind, folder / _NAMES[ImageFormat.QCOW2], budget=budget, watch=watch), ImageFormat.QCOW2
    if kind is ImageFormat.QCOW2:
        _check_tables(stored, kind)
        budget.check_size(_virtual_size(stored, kind))
    elif kind is ImageFormat.ISO:
        _check_iso(stored)
    else:
        _check_partitions(stored)
    target = folder / _NAMES[kind]
    stored.path.rename(target)
    target.chmod(0o644)
    return target, kind


def _format(stored: Settled) -> ImageFormat:
    kind = _detect(stored)
    if not stored.parts and kind in _KEPT:
        raise damaged(stored.name, "it changed while it was read")
    if stored.decoded:
        # The guest wrote these bytes: a header among them makes no image of another format.
        if kind not in (ImageFormat.RAW, ImageFormat.ISO):
            raise damaged(stored.name, f"the disk in it claims to be {kind.value} itself")
        return ImageFormat.RAW
    if kind is ImageFormat.VPC and not _starts_as_vhd(stored.path):
        cut_footer(stored.path, stored.name)
        kind = _detect(stored)
        if kind not in (ImageFormat.RAW, ImageFormat.ISO):
            raise damaged(stored.name, f"the disk in it claims to be {kind.value} itself")
    return kind


def _detect(stored: Settled) -> ImageFormat:
    """Messages name what the user knows, not the file that we made of it."""
    try:
        return detect_format(stored.path)
    except MediaError as error:
        own = str(stored.path)
        raise MediaError(
            error.key, error.message.replace(own, stored.name), reason=error.reason, hint=error.hint.replace(own, stored.name)
        ) from error


def _check_references(stored: Settled, kind: ImageFormat) -> None:
    path = stored.path.resolve()
    try:
        check_references(path, kind)
    except MediaError as error:
        hint = "an image must bring all its parts; 'qemu-img convert' makes one that stands alone"
        raise MediaError(error.key, error.message.replace(str(path), stored.name), reason=error.reason, hint=hint) from error


def _starts_as_vhd(path: Path) -> bool:
    with open_image(path) as file:
        return read_at(file, 0, 8) == b"conectix"


def _convert(stored: Settled, kind: ImageFormat, target: Path, *, budget: Budget, watch: Watch) -> Path:
    _check_tables(stored, kind)
    size = _virtual_size(stored, kind)
    budget.check_size(size)
    partial = target.with_name(f".{target.name}.partial")
    words: list[str | Path] = ["qemu-img", "convert", "-p", "-f", kind.driver, "-O", "qcow2", stored.path.absolute(), partial.absolute()]
    try:
        run_tool_in_thread(words, what=f"{stored.name} cannot be converted", watch=lambda percent: watch(int(size * percent / 100), size))
        partial.rename(target)
    except MediaError as error:
        if error.key == "image-in-use":
            raise
        raise damaged(stored.name, f"it cannot be read as {kind.value}: {error.reason}") from error
    finally:
        partial.unlink(missing_ok=True)
    stored.discard()
    target.chmod(0o644)
    return target


def _virtual_size(stored: Settled, kind: ImageFormat) -> int:
    try:
        done = run(["qemu-img", "info", "--force-share", "--output=json", "-f", kind.driver, stored.path.absolute()], timeout=60)
        return int(json.loads(done.stdout)["virtual-size"])
    except ProcessError as error:
        raise damaged(stored.name, f"it cannot be read as {kind.value}: {error.reason}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise damaged(stored.name, "qemu-img gave an answer that makes no sense") from error


def _check_tables(stored: Settled, kind: ImageFormat) -> None:
    """Walk the image's tables: blocks behind the end of the file show that it is cut off. QEMU would read them as zeros."""
    _check_references(stored, kind)
    done = run(["qemu-img", "check", "-q", "-f", kind.driver, "--output=json", stored.path.absolute()], check=False)
    # qemu-img(1), "check": 3 are clusters that nobody uses, which harms nothing; 63 is a format without a check.
    if done.returncode in (0, 3, 63):
        return
    try:
        errors = int(json.loads(done.stdout).get("corruptions", 0))
    except (ValueError, AttributeError, TypeError):
        errors = 0
    words = done.stderr.decode(errors="replace").strip().splitlines()
    reason = f"qemu-img found {errors} errors in its tables" if errors else "; ".join(words[-2:]) or "qemu-img cannot read it"
    raise damaged(stored.name, reason)


def _check_partitions(stored: Settled) -> None:
    """A GPT tells where its last partition ends (UEFI 2.10, 5.3.2 and 5.3.3); the disk may not end before that."""
    with open_image(stored.path) as file:
        header = read_at(file, _SECTOR, _SECTOR)
        if not header.startswith(b"EFI PART"):
            return
        first, count, size = unpack_from("<QII", header, 72)
        if not 128 <= size <= 4096 or count > 256:
            return
        table = read_at(file, first * _SECTOR, count * size)
        length = file.seek(0, 2)
    entries = (table[offset : offset + size] for offset in range(0, len(table) - size + 1, size))
    if any(any(entry[:16]) and (unpack_from("<Q", entry, 40)[0] + 1) * _SECTOR > length for entry in entries):
        raise truncated(stored.name)


def _check_iso(stored: Settled) -> None:
    """The volume descriptor tells the size (ECMA-119, 8.4.8 and 8.4.12); a disc may be longer, never shorter."""
    with open_image(stored.path) as file:
        descriptor = read_at(file, 16 * _ISO_SECTOR, _ISO_SECTOR)
        length = file.seek(0, 2)
    blocks, block = int.from_bytes(descriptor[80:84], "little"), int.from_bytes(descriptor[128:130], "little")
    if descriptor[:1] == b"\x01" and blocks * block > length:
        raise truncated(stored.name)
