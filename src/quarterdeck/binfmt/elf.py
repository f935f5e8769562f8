"""Reads ELF headers, program headers and the interpreter's name of files that nobody vouches for.

Whatever the file holds, the answer is an :class:`Elf` or a :class:`BadElf`, and no more than the program headers (64 KiB at most)
and the interpreter's name (4 KiB at most) is ever read. Sources: elf(5); the System V ABI, chapters 4 and 5; limits as in
fs/binfmt_elf.c of Linux 6.18, so that what is refused here could not run either.
"""

from __future__ import annotations

import mmap
import os
import stat
import struct
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Literal

from quarterdeck.core.arch import ARCHES, Arch
from quarterdeck.errors import MediaError

Data = bytes | bytearray | memoryview | mmap.mmap

HEADER_SIZE = 64
"""Bytes that :func:`read_header` needs at most; 32-bit files need 52."""

_MAGIC = b"\x7fELF"
_IDENT_SIZE = 16
_TABLE_LIMIT = 65536
_INTERPRETER_LIMIT = 4096


class BadElf(MediaError):  # noqa: N818 - says what the file is, as its heirs do
    """A file that is no sound ELF file, or that cannot be read. ``reason`` says what is wrong."""

    def __init__(self, reason: str, *, key: str = "bad-elf") -> None:
        super().__init__(key, "this is not a sound ELF file", reason=reason)


class NotElf(BadElf):
    """A file that does not begin as ELF files do."""

    def __init__(self) -> None:
        super().__init__("it does not begin with \\x7fELF", key="not-elf")


class MoreNeeded(BadElf):
    """The bytes given are the beginning of a longer file, and what is asked for stands behind them.

    ``needed`` is how many bytes from the file's beginning would do.
    """

    def __init__(self, needed: int) -> None:
        super().__init__(f"the first {needed} bytes of it are needed", key="elf-more-needed")
        self.needed = needed


class Kind(IntEnum):
    """What a file is: e_type."""

    RELOCATABLE = 1
    EXECUTABLE = 2
    SHARED = 3
    CORE = 4


class SegmentType(IntEnum):
    """The types of program headers that are looked at: p_type."""

    LOAD = 1
    DYNAMIC = 2
    INTERP = 3
    NOTE = 4
    PHDR = 6
    TLS = 7


@dataclass(frozen=True)
class Segment:
    """One program header. ``offset`` and ``file_size`` are bytes in the file, ``address`` and ``memory_size`` bytes in memory."""

    type: int
    flags: int
    offset: int
    address: int
    file_size: int
    memory_size: int
    align: int


@dataclass(frozen=True)
class Header:
    """The ELF header: enough to tell the architecture.

    ``kind`` is e_type (:class:`Kind`, or another number), ``machine`` is e_machine, ``flags`` is e_flags; ``table_offset`` and
    ``table_count`` are where the program headers stand in the file and how many they are.
    """

    bits: int
    little: bool
    osabi: int
    abi_version: int
    kind: int
    machine: int
    flags: int
    entry: int
    table_offset: int
    table_entry_size: int
    table_count: int

    @property
    def size(self) -> int:
        """Size of the header in bytes."""
        return 64 if self.bits == 64 else 52


@dataclass(frozen=True)
class Elf(Header):
    """A header with its program headers; ``interpreter`` is the loader that the program asks for, such as /lib/ld-linux-aarch64.so.1."""

    segments: tuple[Segment, ...]
    interpreter: str | None

    @property
    def static(self) -> bool:
        """Whether it can run without a loader and its libraries (true of shared libraries too, which nobody runs)."""
        return self.interpreter is None and self.kind in (Kind.EXECUTABLE, Kind.SHARED)


def read_header(data: Data) -> Header:
    """Return the ELF header that ``data`` begins with; :data:`HEADER_SIZE` bytes are enough.

    Raises:
        NotElf: it begins otherwise.
        BadElf: it is cut short, or of a class, byte order or version that does not exist.
    """
    head = bytes(data[:HEADER_SIZE])
    if head[:4] != _MAGIC:
        raise NotElf
    if len(head) < _IDENT_SIZE:
        raise BadElf("it is cut short inside the ELF header")
    bits = {1: 32, 2: 64}.get(head[4])
    little = {1: True, 2: False}.get(head[5])
    if bits is None or little is None:
        raise BadElf(f"its class is {head[4]} and its byte order {head[5]}; both can only be 1 or 2")
    return _header(head, bits=bits, little=little)


def read_elf(data: Data, *, size: int | None = None) -> Elf:
    """Return what the ELF file ``data`` says of itself.

    ``data`` may be only the beginning of the file; then ``size`` is the whole file's size in bytes.

    Raises:
        NotElf: it begins otherwise.
        MoreNeeded: more of the file's beginning is needed.
        BadElf: anything else is wrong with it.
    """
    whole = len(data) if size is None else size

    def read(offset: int, length: int) -> bytes:
        if offset + length > len(data):
            raise MoreNeeded(offset + length)
        return bytes(data[offset : offset + length])

    return _read(read, whole)


def read_elf_file(path: Path) -> Elf:
    """Return what the ELF file at ``path`` says of itself; reads only what it needs, and only of regular files.

    Raises:
        NotElf: it begins otherwise.
        BadElf: anything else is wrong with it, or it cannot be read.
    """
    try:
        # Without O_NONBLOCK the open of a pipe that nobody writes to would wait for ever.
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from None
    try:
        return _read_open(handle)
    except OSError as error:
        raise _unreadable(path, error) from None
    finally:
        os.close(handle)


def arch_of(header: Header) -> Arch | None:
    """Return the architecture whose programs have such a header, or None when the table knows none (as x32 or ILP32 of aarch64)."""
    return next((arch for arch in ARCHES if _matches(header, arch)), None)


def _matches(header: Header, arch: Arch) -> bool:
    elf = arch.elf
    same = (header.bits, header.little, header.machine) == (elf.bits, elf.little, elf.machine)
    return same and header.flags & elf.flags_mask == elf.flags


_Read = Callable[[int, int], bytes]
"""Returns ``length`` bytes at ``offset``, which lie within the file's size."""


def _unreadable(path: Path, error: Exception) -> BadElf:
    why = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
    return BadElf(f"{path}: {why}", key="file-unreadable")


def _read_open(handle: int) -> Elf:
    status = os.fstat(handle)
    if not stat.S_ISREG(status.st_mode):
        raise BadElf("it is not a regular file")

    def read(offset: int, length: int) -> bytes:
        content = os.pread(handle, length, offset)
        if len(content) < length:
            raise BadElf("it became shorter while it was read")
        return content

    return _read(read, status.st_size)


def _read(read: _Read, size: int) -> Elf:
    header = read_header(read(0, min(size, HEADER_SIZE)))
    segments = _segments(read, header, size=size)
    return Elf(**vars(header), segments=segments, interpreter=_interpreter(read, segments))


def _order(little: bool) -> Literal["<", ">"]:
    return "<" if little else ">"


def _header(head: bytes, *, bits: int, little: bool) -> Header:
    layout = struct.Struct(_order(little) + ("HHIQQQIHHHHHH" if bits == 64 else "HHIIIIIHHHHHH"))
    if len(head) < _IDENT_SIZE + layout.size:
        raise BadElf("it is cut short inside the ELF header")
    kind, machine, version, entry, table, _, flags, _, entry_size, count, *_ = layout.unpack_from(head, _IDENT_SIZE)
    if (head[6], version) != (1, 1):
        raise BadElf(f"its version is {head[6]} and {version}; only 1 exists")
    return Header(
        bits=bits,
        little=little,
        osabi=head[7],
        abi_version=head[8],
        kind=kind,
        machine=machine,
        flags=flags,
        entry=entry,
        table_offset=table,
        table_entry_size=entry_size,
        table_count=count,
    )


def _segments(read: _Read, header: Header, *, size: int) -> tuple[Segment, ...]:
    if not header.table_count:
        return ()
    entry = struct.Struct(_order(header.little) + ("IIQQQQQQ" if header.bits == 64 else "IIIIIIII"))
    length = header.table_count * entry.size
    if header.table_entry_size != entry.size:
        raise BadElf(f"its program headers have {header.table_entry_size} bytes instead of {entry.size}")
    if length > _TABLE_LIMIT:
        raise BadElf(f"it has {header.table_count} program headers; Linux runs nothing with more than {_TABLE_LIMIT // entry.size}")
    if header.table_offset < header.size:
        raise BadElf("its program headers overlap the ELF header")
    if header.table_offset + length > size:
        raise BadElf("its program headers stand behind the end of the file")
    table = read(header.table_offset, length)
    return tuple(_segment(fields, header.bits, size=size) for fields in entry.iter_unpack(table))


def _segment(fields: tuple[int, ...], bits: int, *, size: int) -> Segment:
    if bits == 64:
        kind, flags, offset, address, _, file_size, memory_size, align = fields
    else:
        kind, offset, address, _, file_size, memory_size, flags, align = fields
    if file_size and offset + file_size > size:
        raise BadElf("a segment stands behind the end of the file")
    if kind == SegmentType.LOAD and file_size > memory_size:
        raise BadElf("a segment is larger in the file than in memory")
    if address + memory_size > 1 << bits:
        raise BadElf("a segment stands behind the end of the address space")
    return Segment(kind, flags, offset, address, file_size, memory_size, align)


def _interpreter(read: _Read, segments: tuple[Segment, ...]) -> str | None:
    """Return the name in the first PT_INTERP, which is the one that Linux takes, in a form that can be printed."""
    segment = next((one for one in segments if one.type == SegmentType.INTERP), None)
    if segment is None:
        return None
    if not 2 <= segment.file_size <= _INTERPRETER_LIMIT:
        raise BadElf(f"its interpreter's name has {segment.file_size} bytes; 2 to {_INTERPRETER_LIMIT} are allowed")
    name = read(segment.offset, segment.file_size)
    if name[-1]:
        raise BadElf("its interpreter's name does not end")
    return name.partition(b"\0")[0].decode(errors="backslashreplace")
