import os
import struct
from pathlib import Path

import pytest

from quarterdeck.binfmt.elf import BadElf, Kind, MoreNeeded, NotElf, arch_of, read_elf, read_elf_file, read_header
from quarterdeck.core.arch import ARCHES, find_arch

INTERPRETER = b"/lib/ld-linux-aarch64.so.1\0"


def program(
    *segments: tuple[int, int, int, int, int], count: int | None = None, table: int = 64, entry_size: int = 56, tail: bytes = b""
) -> bytes:
    """A 64-bit little-endian aarch64 program; segments are (type, offset, address, file size, memory size)."""
    number = len(segments) if count is None else count
    head = (
        b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HHIQQQIHHHHHH", 3, 183, 1, 0x1000, table, 0, 0, 64, entry_size, number, 0, 0, 0)
    )
    rows = [struct.pack("<IIQQQQQQ", kind, 4, offset, address, 0, size, memory, 8) for kind, offset, address, size, memory in segments]
    return head + b"".join(rows) + tail


def with_interpreter(name: bytes = INTERPRETER, *, size: int | None = None) -> bytes:
    return program((3, 120, 0, len(name) if size is None else size, 0), tail=name)


def reason_of(data: bytes) -> str:
    with pytest.raises(BadElf) as caught:
        read_elf(data)
    return caught.value.reason


def test_a_static_program_asks_for_no_interpreter() -> None:
    elf = read_elf(program((1, 0, 0x1000, 120, 0x200)))
    assert elf.static
    assert (elf.bits, elf.little, elf.kind, elf.machine, elf.entry) == (64, True, Kind.SHARED, 183, 0x1000)
    assert [(one.type, one.address, one.file_size, one.memory_size) for one in elf.segments] == [(1, 0x1000, 120, 0x200)]


def test_a_dynamic_program_names_its_interpreter() -> None:
    elf = read_elf(with_interpreter())
    assert elf.interpreter == "/lib/ld-linux-aarch64.so.1"
    assert not elf.static


def test_only_the_first_interpreter_counts_as_for_the_kernel() -> None:
    names = b"/first\0/second\0"
    elf = read_elf(program((3, 176, 0, 7, 0), (3, 183, 0, 8, 0), tail=names))
    assert elf.interpreter == "/first"


def test_an_interpreter_that_is_no_text_can_still_be_printed() -> None:
    assert read_elf(with_interpreter(b"/\xff\xfe\0")).interpreter == "/\\xff\\xfe"


@pytest.mark.parametrize("data", [b"", b"\x7f", b"\x7fEL", b"MZ" + bytes(100), b"#!/bin/sh\n"])
def test_other_files_are_no_elf(data: bytes) -> None:
    with pytest.raises(NotElf):
        read_elf(data)


def test_every_cut_of_the_beginning_is_refused() -> None:
    whole = with_interpreter()
    for length in range(len(whole)):
        with pytest.raises(BadElf):
            read_elf(whole[:length])


@pytest.mark.parametrize(
    ("place", "byte", "words"),
    [(4, 0, "class"), (4, 3, "class"), (5, 0, "byte order"), (5, 3, "byte order"), (6, 0, "version"), (20, 2, "version")],
)
def test_kinds_that_do_not_exist_are_refused(place: int, byte: int, words: str) -> None:
    data = bytearray(program())
    data[place] = byte
    assert words in reason_of(bytes(data))


@pytest.mark.parametrize("size", [0, 32, 55, 57, 65535])
def test_program_headers_of_another_size_are_refused(size: int) -> None:
    assert "instead of 56" in reason_of(program((1, 0, 0, 0, 0), entry_size=size))


@pytest.mark.parametrize("count", [1171, 65534, 65535])
def test_more_program_headers_than_linux_takes_are_refused(count: int) -> None:
    assert "Linux runs nothing" in reason_of(program(count=count))


@pytest.mark.parametrize("table", [0, 1, 63])
def test_program_headers_over_the_elf_header_are_refused(table: int) -> None:
    assert "overlap" in reason_of(program((1, 0, 0, 0, 0), table=table))


@pytest.mark.parametrize("table", [65, 120, 2**32, 2**64 - 1])
def test_program_headers_behind_the_end_are_refused(table: int) -> None:
    assert "behind the end of the file" in reason_of(program((1, 0, 0, 0, 0), table=table))


def test_a_file_without_program_headers_is_sound_wherever_its_table_would_be() -> None:
    assert read_elf(program(table=2**63, entry_size=0)).segments == ()


@pytest.mark.parametrize(("offset", "size"), [(0, 121), (120, 1), (2**64 - 1, 1), (0, 2**64 - 1), (2**64 - 1, 2**64 - 1)])
def test_segments_behind_the_end_are_refused(offset: int, size: int) -> None:
    assert "behind the end of the file" in reason_of(program((1, offset, 0, size, size)))


def test_segments_behind_the_end_of_memory_are_refused() -> None:
    assert "address space" in reason_of(program((1, 0, 2**64 - 1, 2, 2)))


def test_a_segment_cannot_be_larger_in_the_file_than_in_memory() -> None:
    assert "larger in the file" in reason_of(program((1, 0, 0, 2, 1)))


@pytest.mark.parametrize("name", [b"", b"\0", b"x" * 4096 + b"\0"])
def test_interpreters_of_impossible_length_are_refused(name: bytes) -> None:
    assert "are allowed" in reason_of(with_interpreter(name))


def test_an_interpreter_without_end_is_refused() -> None:
    assert "does not end" in reason_of(with_interpreter(b"/lib/ld.so"))


def test_the_beginning_of_a_stream_says_how_much_more_is_needed() -> None:
    whole = with_interpreter()
    with pytest.raises(MoreNeeded) as caught:
        read_elf(whole[:64], size=len(whole))
    assert caught.value.needed == 120
    with pytest.raises(MoreNeeded) as caught:
        read_elf(whole[:120], size=len(whole))
    assert caught.value.needed == len(whole)
    assert read_elf(whole, size=10**12).interpreter is not None


def test_the_header_alone_tells_the_architecture() -> None:
    header = read_header(with_interpreter()[:64])
    assert arch_of(header) is find_arch("arm64")


@pytest.mark.parametrize("arch", ARCHES, ids=lambda arch: arch.name)
def test_an_example_of_each_architecture_is_recognised(arch) -> None:
    assert arch_of(read_header(arch.elf.example())) is arch


@pytest.mark.parametrize(("bits", "machine"), [(32, 62), (32, 183), (64, 3), (64, 40), (64, 0), (64, 65535)])
def test_combinations_that_are_no_architecture_of_ours_are_none(bits: int, machine: int) -> None:
    data = bytearray(find_arch("arm64").elf.example())
    data[4] = bits // 32
    data[18:20] = machine.to_bytes(2, "little")
    assert arch_of(read_header(bytes(data))) is None


def test_files_are_read_from_disk(tmp_path: Path) -> None:
    file = tmp_path / "program"
    file.write_bytes(with_interpreter())
    assert read_elf_file(file) == read_elf(with_interpreter())


def test_what_cannot_be_read_is_said_in_words(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(BadElf, match="not a sound") as caught:
        read_elf_file(tmp_path / "pipe")
    assert "regular file" in caught.value.reason
    with pytest.raises(BadElf) as caught:
        read_elf_file(tmp_path / "missing")
    assert "No such file" in caught.value.reason
    with pytest.raises(BadElf) as caught:
        read_elf_file(Path("a\0b"))
    assert caught.value.key == "file-unreadable"
    with pytest.raises(BadElf):
        read_elf_file(tmp_path)
