import io
import struct
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quarterdeck.binfmt.elf import BadElf, Elf, MoreNeeded, arch_of, read_elf, read_elf_file, read_header
from quarterdeck.binfmt.programs.build import Probe, build, supported
from quarterdeck.core.arch import ARCHES

elffile = pytest.importorskip("elftools.elf.elffile", reason="pyelftools is what our reader is compared with")

SIZES = {64: (64, 56), 32: (52, 32)}
MACHINES = sorted({arch.elf.machine for arch in ARCHES})
NO_KIND = 0x60000000
"""The first p_type that means nothing to anybody."""


@st.composite
def segments(draw, bits: int, room: int):
    """The fields of one program header that is sound in a file of ``room`` bytes: type, flags, offset, address, sizes, alignment."""
    offset = draw(st.integers(0, room))
    size = draw(st.integers(0, room - offset))
    memory = size + draw(st.integers(0, 1 << 20))
    address = draw(st.integers(0, (1 << bits) - memory))
    kind = draw(st.sampled_from([0, 1, 2, 4, 6, 7, NO_KIND]))
    return kind, draw(st.integers(0, 7)), offset, address, size, memory, draw(st.sampled_from([0, 1, 4096, 65536]))


@st.composite
def elf_files(draw):
    bits, little = draw(st.sampled_from([32, 64])), draw(st.booleans())
    header_size, entry_size = SIZES[bits]
    body = draw(st.binary(max_size=200))
    rows = draw(st.lists(segments(bits, header_size + len(body)), max_size=8))
    # pyelftools gives up on names that are not UTF-8; the unit tests have some.
    name = draw(st.none() | st.binary(min_size=1, max_size=60).filter(lambda text: 0 not in text and text.isascii()))
    gap = draw(st.integers(0, 16))
    table = header_size + len(body) + gap
    count = len(rows) + (name is not None)
    tail = b"" if name is None else name + b"\0"
    if name is not None:
        rows.append((3, 4, table + count * entry_size, 0, len(tail), len(tail), 1))
    order = "<" if little else ">"
    ident = b"\x7fELF" + bytes([bits // 32, 1 if little else 2, 1, draw(st.integers(0, 255)), draw(st.integers(0, 255))]) + bytes(7)
    word = st.integers(0, (1 << bits) - 1)
    head = struct.pack(
        order + ("HHIQQQIHHHHHH" if bits == 64 else "HHIIIIIHHHHHH"),
        draw(st.integers(0, 65535)),
        draw(st.sampled_from(MACHINES) | st.integers(0, 65535)),
        1,
        draw(word),
        table,
        0,
        draw(st.integers(0, 2**32 - 1)),
        header_size,
        entry_size,
        count,
        0,
        0,
        0,
    )
    return ident + head + body + bytes(gap) + b"".join(packed(row, order, bits) for row in rows) + tail


def packed(row, order: str, bits: int) -> bytes:
    kind, flags, offset, address, size, memory, align = row
    if bits == 64:
        return struct.pack(order + "IIQQQQQQ", kind, flags, offset, address, address, size, memory, align)
    return struct.pack(order + "IIIIIIII", kind, offset, address, address, size, memory, flags, align)


def assert_same(elf: Elf, data: bytes) -> None:
    """Everything that we read is what pyelftools reads."""
    other = elffile.ELFFile(io.BytesIO(data))
    assert (elf.bits, elf.little) == (other.elfclass, other.little_endian)
    assert (elf.entry, elf.flags, elf.table_count) == (other["e_entry"], other["e_flags"], other["e_phnum"])
    # pyelftools has names for these two.
    order: Literal["little", "big"] = "little" if elf.little else "big"
    assert (elf.kind, elf.machine) == (int.from_bytes(data[16:18], order), int.from_bytes(data[18:20], order))
    for ours, theirs in zip(elf.segments, other.iter_segments(), strict=True):
        head = theirs.header
        fields = (head["p_flags"], head["p_offset"], head["p_vaddr"], head["p_filesz"], head["p_memsz"], head["p_align"])
        assert (ours.flags, ours.offset, ours.address, ours.file_size, ours.memory_size, ours.align) == fields
    names = [one.get_interp_name() for one in other.iter_segments() if one.header["p_type"] == "PT_INTERP"]
    assert (elf.interpreter is None) == (not names)
    if names:
        assert elf.interpreter == names[0]


@settings(max_examples=300, deadline=None)
@given(elf_files())
def test_made_up_headers_are_read_as_pyelftools_reads_them(data: bytes) -> None:
    assert_same(read_elf(data), data)


@settings(max_examples=300, deadline=None)
@given(elf_files(), st.data())
def test_damaged_files_are_elf_or_bad_elf(data: bytes, choices) -> None:
    damaged = bytearray(data)
    places = st.integers(0, min(len(data), 200) - 1) | st.integers(0, len(data) - 1)
    for _ in range(choices.draw(st.integers(1, 6))):
        damaged[choices.draw(places)] = choices.draw(st.sampled_from([0, 1, 0x7F, 0x80, 0xFF]) | st.integers(0, 255))
    cut = bytes(damaged[: choices.draw(st.integers(0, len(damaged)) | st.just(len(damaged)))])
    try:
        elf = read_elf(cut)
    except BadElf as error:
        assert error.reason  # noqa: PT017 - either outcome is right
        return
    assert all(one.offset + one.file_size <= len(cut) for one in elf.segments if one.file_size)
    arch_of(elf)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300), st.integers(0, 2**63))
def test_any_bytes_of_a_file_of_any_size_are_elf_or_bad_elf(data: bytes, size: int) -> None:
    for content in (data, b"\x7fELF" + data, b"\x7fELF\x02\x01\x01" + data):
        try:
            read_elf(content, size=size)
        except BadElf:
            continue


@settings(max_examples=200, deadline=None)
@given(elf_files())
def test_a_stream_tells_step_by_step_how_much_it_takes(data: bytes) -> None:
    have = 0
    while True:
        try:
            elf = read_elf(data[:have], size=len(data))
        except MoreNeeded as error:
            before, have = have, error.needed
        else:
            break
        assert before < have <= len(data)
    assert elf == read_elf(data)
    assert read_header(data[:64]).machine == elf.machine


@pytest.mark.parametrize("arch", [arch for arch in ARCHES if Probe.EXEC in supported(arch)], ids=lambda arch: arch.name)
def test_programs_of_every_architecture_are_read_as_pyelftools_reads_them(arch) -> None:
    data = build(arch, Probe.EXEC)
    elf = read_elf(data)
    assert_same(elf, data)
    assert arch_of(elf) is arch
    assert elf.static


@pytest.mark.parametrize("folder", ["/usr/bin", "/usr/sbin", "/usr/libexec", "/usr/lib"])
def test_the_programs_of_this_host_are_read_as_pyelftools_reads_them(folder: str) -> None:
    compared = 0
    for path in sorted(Path(folder).glob("*" if folder != "/usr/lib" else "*/*.so*"))[:1500:7]:
        try:
            elf = read_elf_file(path)
        except BadElf:
            continue
        assert_same(elf, path.read_bytes())
        compared += 1
    print(f"{compared} files of {folder}")
