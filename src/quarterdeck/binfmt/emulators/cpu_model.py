"""Copies of emulators that have a CPU model of their own as default.

The kernel gives an interpreter no options, and a build's environment is not ours to change. QEMU before 10.0 emulates pointer
authentication of aarch64's default CPU with a slow cipher; ``max,pauth-impdef=on`` takes a fast hash instead. So the copy gets a
segment with a few instructions that run first (:mod:`quarterdeck.binfmt.emulators.start_stub`) and put ``-cpu MODEL`` before QEMU's
arguments.
The copy is one static file as before and works with every flag of binfmt_misc, in an empty root too.

A copy must not be called ``...-binfmt-P``: started under such a name Debian's QEMU takes its first argument for the program.
"""

from __future__ import annotations

import re
import struct
from pathlib import Path

from quarterdeck.binfmt.elf import BadElf, Elf, Segment, SegmentType, arch_of, read_elf, read_elf_file
from quarterdeck.binfmt.emulators.find import Version
from quarterdeck.binfmt.emulators.start_stub import HOSTS, start_stub
from quarterdeck.core.arch import Arch, find_arch
from quarterdeck.errors import HostError, UsageError

_MARK = b"quarterdeck-cpu\0"
_OPTION = b"-cpu"
_MODEL = re.compile(r"[A-Za-z0-9_.+=:,-]{1,256}", re.ASCII)
_SEGMENT_LIMIT = 4096
_READ_EXECUTE = 4 | 1
_GNU_PROPERTY = 0x6474E553
_ENTRY_OFFSET = 24
_ENTRY_SIZE = 56
_ALIGN = 16
_FAST_SINCE = (10, 0)
"""QEMU whose default is the fast hash."""
_CHOICE_SINCE = (6, 0)
"""QEMU that has the property pauth-impdef."""


def default_cpu_model(arch: Arch, version: Version) -> str | None:
    """Return the CPU model that an emulator of ``arch`` should have instead of QEMU's own default, or None when that is the best."""
    slow = arch.name in ("aarch64", "aarch64_be") and _CHOICE_SINCE <= version[:2] < _FAST_SINCE
    return find_arch("aarch64").tcg_cpu if slow else None


def check_model(model: str) -> str:
    """Return ``model`` when it can be a CPU model with properties, such as ``max,pauth-impdef=on``; only QEMU knows whether there is one.

    Raises:
        UsageError: it cannot.
    """
    if not _MODEL.fullmatch(model) or model.startswith("-"):
        raise UsageError("bad-cpu-model", f"{model!r} cannot be a CPU model", hint="'qemu-ARCH -cpu help' lists the models of an emulator")
    return model


def with_cpu_model(emulator: bytes, model: str) -> bytes:
    """Return a copy of the static ELF program ``emulator`` that behaves as if ``-cpu model`` were its first arguments.

    QEMU_CPU and a ``-cpu`` on its command line go before. The same bytes each time.

    Raises:
        UsageError: ``model`` cannot be one.
        HostError: the emulator is for a host that this is not offered for, dynamic, without room for another segment, or such a copy
            already.
        BadElf: it is no sound ELF file.
    """
    elf = read_elf(emulator)
    host = _host_of(elf)
    if _marked(emulator, elf):
        raise HostError("cpu-model-twice", "this emulator has a CPU model of ours already", hint="name the original emulator")
    offset = _aligned(len(emulator), _ALIGN)
    address = _address(elf, offset)
    labels = {"here": address + len(_MARK), "entry": elf.entry}
    stub, start = start_stub(host, _OPTION, model=check_model(model).encode(), labels=labels)
    content = _MARK + stub
    segment = Segment(SegmentType.LOAD, _READ_EXECUTE, offset, address, len(content), len(content), _alignment(elf))
    result = bytearray(emulator.ljust(offset, b"\0") + content)
    table = _table(emulator, elf, segment)
    result[elf.table_offset : elf.table_offset + len(table)] = table
    struct.pack_into("<Q", result, _ENTRY_OFFSET, labels["here"] + start)
    return bytes(result)


def model_of(path: Path) -> str | None:
    """Return the CPU model of a copy that :func:`with_cpu_model` made; None of every other file."""
    try:
        elf = read_elf_file(path)
        segment = _entry_segment(elf)
        if segment is None:
            return None
        with path.open("rb") as file:
            file.seek(segment.offset)
            content = file.read(segment.file_size)
    except (BadElf, OSError):
        return None
    if not content.startswith(_MARK + _OPTION + b"\0"):
        return None
    return content.removeprefix(_MARK + _OPTION + b"\0").partition(b"\0")[0].decode(errors="backslashreplace")


def _host_of(elf: Elf) -> str:
    arch = arch_of(elf)
    if arch is None or arch.name not in HOSTS:
        offered = ", ".join(HOSTS)
        reason = f"it is a program for {arch.name if arch else 'an unknown processor'}; offered are {offered}"
        raise HostError("cpu-model-host", "a CPU model of its own is not offered for this emulator", reason=reason)
    if not elf.static:
        raise HostError(
            "emulator-dynamic", "a CPU model of its own is offered for static emulators only", reason=f"it needs {elf.interpreter}"
        )
    return arch.name


def _no_room(reason: str) -> HostError:
    return HostError("cpu-model-room", "a CPU model of its own cannot be given to this emulator", reason=reason)


def _loads(elf: Elf) -> list[Segment]:
    loads = [segment for segment in elf.segments if segment.type == SegmentType.LOAD]
    if not loads:
        raise _no_room("it loads nothing into memory")
    return loads


def _alignment(elf: Elf) -> int:
    return max(4096, *(segment.align for segment in _loads(elf)))


def _address(elf: Elf, offset: int) -> int:
    """Return an address behind all others, on a page of its own, that is congruent to the place in the file."""
    alignment = _alignment(elf)
    end = max(segment.address + segment.memory_size for segment in _loads(elf))
    address = _aligned(end, alignment) + offset % alignment
    if abs(address - elf.entry) >= 1 << 27:
        raise _no_room("it is too large to be extended")  # the reach of a branch of aarch64
    return address


def _aligned(number: int, boundary: int) -> int:
    return -(-number // boundary) * boundary


def _table(emulator: bytes, elf: Elf, segment: Segment) -> bytes:
    """Return the program headers with ``segment`` after the other loaded ones, as their order of addresses asks, in a note's place."""
    row = struct.Struct("<IIQQQQQQ")
    begin = elf.table_offset
    rows = [emulator[begin + index * _ENTRY_SIZE : begin + (index + 1) * _ENTRY_SIZE] for index in range(elf.table_count)]
    new = (
        segment.type,
        segment.flags,
        segment.offset,
        segment.address,
        segment.address,
        segment.file_size,
        segment.memory_size,
        segment.align,
    )
    last = max(index for index, one in enumerate(elf.segments) if one.type == SegmentType.LOAD)
    spare = _spare(elf)
    ordered = [*rows[: last + 1], row.pack(*new), *rows[last + 1 :]]
    del ordered[spare if spare <= last else spare + 1]
    return b"".join(ordered)


def _spare(elf: Elf) -> int:
    """Return the index of a note that a running program can do without: best the one that PT_GNU_PROPERTY repeats, else the build id."""
    repeated = {segment.offset for segment in elf.segments if segment.type == _GNU_PROPERTY}
    notes = [index for index, segment in enumerate(elf.segments) if segment.type == SegmentType.NOTE]
    if not notes:
        raise _no_room("it has no note whose program header could be used for another segment")
    return next((index for index in notes if elf.segments[index].offset in repeated), notes[-1])


def _entry_segment(elf: Elf) -> Segment | None:
    """Return the loaded segment that the program starts in, when it is as small as ours."""
    holders = (one for one in elf.segments if one.type == SegmentType.LOAD and one.address <= elf.entry < one.address + one.file_size)
    return next((one for one in holders if one.file_size <= _SEGMENT_LIMIT), None)


def _marked(emulator: bytes, elf: Elf) -> bool:
    segment = _entry_segment(elf)
    return segment is not None and emulator[segment.offset :].startswith(_MARK)
