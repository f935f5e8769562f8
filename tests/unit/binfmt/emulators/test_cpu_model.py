import struct
from pathlib import Path

import pytest

from quarterdeck.binfmt.elf import Elf, SegmentType, read_elf
from quarterdeck.binfmt.emulators.copies import copy_path, install_copy
from quarterdeck.binfmt.emulators.cpu_model import check_model, default_cpu_model, model_of, with_cpu_model
from quarterdeck.binfmt.emulators.find import Emulator, Version
from quarterdeck.binfmt.programs.probe import EXEC_STATUS
from quarterdeck.core import process
from quarterdeck.core.arch import find_arch
from quarterdeck.core.process import Completed
from quarterdeck.errors import HostError, UsageError

ARM = find_arch("arm64")
MODEL = "max,pauth-impdef=on"
MACHINES = {"x86_64": 62, "aarch64": 183}
LOAD, DYNAMIC, INTERP, NOTE, STACK, PROPERTY = 1, 2, 3, 4, 0x6474E551, 0x6474E553
Row = tuple[int, int, int, int, int]
CODE: Row = (LOAD, 0, 0x10000, 400, 400)
ZEROS: Row = (LOAD, 400, 0x20400, 100, 0x5000)
BUILD_ID: Row = (NOTE, 300, 0x10300, 36, 36)
PROPERTY_NOTE: Row = (NOTE, 340, 0x10340, 32, 32)
PROPERTY_ROW: Row = (PROPERTY, 340, 0x10340, 32, 32)


def program(*rows: Row, machine: int = 62, align: int = 0x1000, size: int = 503) -> bytes:
    """A static program of ``size`` bytes; segments are (type, offset, address, file size, memory size)."""
    head = b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HHIQQQIHHHHHH", 2, machine, 1, 0x10100, 64, 0, 0, 64, 56, len(rows), 0, 0, 0)
    table = b"".join(struct.pack("<IIQQQQQQ", kind, 5, offset, at, at, length, memory, align) for kind, offset, at, length, memory in rows)
    return (head + table).ljust(size, b"\xaa")


EMULATOR = program(CODE, ZEROS, BUILD_ID, (STACK, 0, 0, 0, 0))


def added(elf: Elf, before: Elf):
    return next(one for one in elf.segments if one not in before.segments)


@pytest.mark.parametrize("host", sorted(MACHINES))
@pytest.mark.parametrize("align", [0x1000, 0x10000])
def test_the_new_segment_is_behind_everything_and_congruent_to_the_file(host: str, align: int) -> None:
    data = program(CODE, ZEROS, BUILD_ID, machine=MACHINES[host], align=align)
    before, result = read_elf(data), with_cpu_model(data, MODEL)
    after = read_elf(result)
    new = added(after, before)
    assert new.address // align > (0x20400 + 0x5000 - 1) // align
    assert new.address % align == new.offset % align
    assert new.offset + new.file_size == len(result)
    assert new.flags == 5
    assert new.file_size == new.memory_size
    assert new.align == align
    assert new.address <= after.entry < new.address + new.file_size


def test_the_rest_of_the_file_is_as_it_was() -> None:
    result = with_cpu_model(EMULATOR, MODEL)
    table = slice(64, 64 + 4 * 56)
    kept = bytearray(result[: len(EMULATOR)])
    kept[24:32] = EMULATOR[24:32]
    kept[table] = EMULATOR[table]
    assert bytes(kept) == EMULATOR
    assert read_elf(result).table_count == 4


def test_loaded_segments_keep_their_order_of_addresses_wherever_the_note_was() -> None:
    for rows in ((BUILD_ID, CODE, ZEROS), (CODE, BUILD_ID, ZEROS), (CODE, ZEROS, BUILD_ID)):
        after = read_elf(with_cpu_model(program(*rows), MODEL))
        addresses = [one.address for one in after.segments if one.type == SegmentType.LOAD]
        assert len(addresses) == 3
        assert addresses == sorted(addresses)
        assert len(after.segments) == 3


def test_a_note_that_is_repeated_elsewhere_is_given_up_before_the_build_id() -> None:
    after = read_elf(with_cpu_model(program(CODE, ZEROS, PROPERTY_NOTE, BUILD_ID, PROPERTY_ROW), MODEL))
    assert [one.offset for one in after.segments if one.type == SegmentType.NOTE] == [BUILD_ID[1]]


def test_a_program_without_a_note_has_no_room() -> None:
    with pytest.raises(HostError) as caught:
        with_cpu_model(program(CODE, ZEROS), MODEL)
    assert "note" in caught.value.reason


def test_a_program_that_loads_nothing_is_refused() -> None:
    with pytest.raises(HostError):
        with_cpu_model(program(BUILD_ID), MODEL)


def test_a_program_beyond_the_reach_of_a_branch_is_refused() -> None:
    with pytest.raises(HostError) as caught:
        with_cpu_model(program(CODE, (LOAD, 400, 1 << 28, 10, 10), BUILD_ID), MODEL)
    assert "too large" in caught.value.reason


def test_a_copy_says_its_model(tmp_path: Path) -> None:
    for host, machine in MACHINES.items():
        file = tmp_path / host
        file.write_bytes(with_cpu_model(program(CODE, ZEROS, BUILD_ID, machine=machine), MODEL))
        assert model_of(file) == MODEL


def test_other_files_have_no_model(tmp_path: Path) -> None:
    file = tmp_path / "file"
    for content in (EMULATOR, b"", b"text", EMULATOR[:100], program((LOAD, 0, 0x10000, 503, 503))):
        file.write_bytes(content)
        assert model_of(file) is None
    assert model_of(tmp_path) is None
    assert model_of(tmp_path / "missing") is None


def test_the_same_input_makes_the_same_bytes() -> None:
    assert with_cpu_model(EMULATOR, MODEL) == with_cpu_model(EMULATOR, MODEL)
    assert with_cpu_model(EMULATOR, MODEL) != with_cpu_model(EMULATOR, "max")


def test_a_copy_of_a_copy_is_refused() -> None:
    with pytest.raises(HostError) as caught:
        with_cpu_model(with_cpu_model(EMULATOR, MODEL), "max")
    assert caught.value.key == "cpu-model-twice"


@pytest.mark.parametrize("machine", [22, 243, 0])
def test_other_hosts_are_told_that_it_is_not_offered(machine: int) -> None:
    with pytest.raises(HostError) as caught:
        with_cpu_model(program(CODE, BUILD_ID, machine=machine), MODEL)
    assert "x86_64, aarch64" in caught.value.reason


def test_dynamic_emulators_are_refused() -> None:
    data = bytearray(program(CODE, BUILD_ID, (INTERP, 300, 0, 4, 4)))
    data[300:304] = b"/ld\0"
    with pytest.raises(HostError) as caught:
        with_cpu_model(bytes(data), MODEL)
    assert caught.value.key == "emulator-dynamic"


@pytest.mark.parametrize("model", ["max", MODEL, "cortex-a57", "Skylake-Client-v1,-avx2,+x2apic", "POWER9_v2.0", "0x004e1200"])
def test_models_with_properties_are_accepted(model: str) -> None:
    assert check_model(model) == model


@pytest.mark.parametrize("model", ["", "-cpu", "max pauth", "max\n", "max\0", "a/b", "x" * 257, "mäx"])
def test_what_can_be_no_model_is_refused(model: str) -> None:
    with pytest.raises(UsageError):
        with_cpu_model(EMULATOR, model)


@pytest.mark.parametrize(
    ("arch", "version", "model"),
    [
        ("arm64", (7, 2, 22), MODEL),
        ("aarch64_be", (9, 2, 4), MODEL),
        ("arm64", (10, 0, 0), None),
        ("arm64", (5, 2, 0), None),
        ("amd64", (7, 2, 22), None),
        ("arm", (7, 2, 22), None),
    ],
)
def test_only_the_slow_cipher_is_replaced(arch: str, version: Version, model: str | None) -> None:
    assert default_cpu_model(find_arch(arch), version) == model


@pytest.fixture
def emulator(tmp_path: Path, monkeypatch) -> Emulator:
    """An emulator whose copies run every program to the end that it should have."""
    answering(monkeypatch, copy=EXEC_STATUS, original=EXEC_STATUS)
    file = tmp_path / "qemu-aarch64-static"
    file.write_bytes(EMULATOR)
    return Emulator(ARM, file, (7, 2, 22), static=True)


def answering(monkeypatch, *, copy: int, original: int) -> None:
    def run(argv, **_: object) -> Completed:
        status = original if "-cpu" in argv else copy
        return Completed(tuple(map(str, argv)), status, b"", b"qemu-aarch64: unable to find CPU model\n" if status == 1 else b"")

    monkeypatch.setattr(process, "run", run)


def test_a_copy_is_installed_once_under_a_name_of_its_own(emulator: Emulator, tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "folder"
    path = install_copy(emulator, MODEL, folder)
    assert path.parent == folder
    assert path.name.startswith("qemu-aarch64-7.2.22-")
    assert path.stat().st_mode & 0o7777 == 0o755
    assert model_of(path) == MODEL
    before = path.stat().st_ino
    assert install_copy(emulator, MODEL, folder) == path
    assert path.stat().st_ino == before
    other = install_copy(emulator, "max", folder)
    assert sorted(folder.iterdir()) == sorted([path, other])


def test_a_damaged_copy_is_made_anew(emulator: Emulator, tmp_path: Path) -> None:
    path = install_copy(emulator, MODEL, tmp_path / "folder")
    path.write_bytes(b"damaged")
    assert install_copy(emulator, MODEL, tmp_path / "folder") == path
    assert model_of(path) == MODEL


def test_without_a_folder_it_goes_to_our_own(emulator: Emulator, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("QUARTERDECK_HOME", str(tmp_path / "home"))
    assert install_copy(emulator, MODEL).parent == tmp_path / "home" / "binfmt"


def test_an_unknown_model_leaves_nothing_behind(emulator: Emulator, tmp_path: Path, monkeypatch) -> None:
    answering(monkeypatch, copy=1, original=1)
    with pytest.raises(UsageError) as caught:
        install_copy(emulator, "nosuch", tmp_path / "folder")
    assert "unable to find CPU model" in caught.value.reason
    assert list((tmp_path / "folder").iterdir()) == []


def test_a_copy_that_does_not_run_is_not_installed(emulator: Emulator, tmp_path: Path, monkeypatch) -> None:
    answering(monkeypatch, copy=-11, original=EXEC_STATUS)
    with pytest.raises(HostError) as caught:
        install_copy(emulator, MODEL, tmp_path / "folder")
    assert caught.value.key == "emulator-copy-broken"
    assert "SIGSEGV" in caught.value.reason


def test_a_folder_that_cannot_be_is_said_in_words(emulator: Emulator, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HostError) as caught:
        install_copy(emulator, MODEL, tmp_path / "file")
    assert "Not a directory" in caught.value.reason
    with pytest.raises(HostError) as caught:
        install_copy(Emulator(ARM, tmp_path / "missing", (7, 2, 22), static=True), MODEL, tmp_path)
    assert "No such file" in caught.value.reason


def test_where_a_copy_would_be_is_known_without_writing_it(emulator: Emulator, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    path = copy_path(emulator, MODEL, folder)
    assert not folder.exists()
    assert install_copy(emulator, MODEL, folder) == path
    with pytest.raises(HostError):
        copy_path(Emulator(ARM, tmp_path / "missing", (7, 2, 22), static=True), MODEL, folder)
