import pytest

from quarterdeck.core.arch import find_arch
from quarterdeck.host.binfmt_misc import claiming, is_mounted, is_switched_on, parse_entry, read_entries

AARCH64 = find_arch("aarch64")
TEXT = (
    "enabled\ninterpreter /usr/bin/qemu-aarch64-static\nflags: POCF\noffset 0\n"
    "magic 7f454c460201010000000000000000000200b700\nmask ffffffffffffff00fffffffffffffffffeffffff\n"
)


def test_an_entry_is_read_as_the_kernel_writes_it():
    entry = parse_entry("qemu-aarch64", TEXT)
    assert entry is not None
    assert (entry.name, entry.enabled, entry.interpreter, entry.flags) == ("qemu-aarch64", True, "/usr/bin/qemu-aarch64-static", "POCF")
    assert entry.claims(AARCH64.elf.example())
    assert not entry.claims(find_arch("arm").elf.example())


def test_an_entry_by_extension_claims_no_program():
    entry = parse_entry("jar", "disabled\ninterpreter /usr/bin/jexec\nflags: \nextension .jar\n")
    assert entry is not None
    assert (entry.enabled, entry.extension) == (False, "jar")
    assert not entry.claims(AARCH64.elf.example())


@pytest.mark.parametrize("text", ["", "enabled\nmagic zz\n", "enabled\noffset x\n"])
def test_text_that_is_no_entry_is_left_out(tmp_path, text):
    (tmp_path / "odd").write_text(text)
    assert read_entries(tmp_path) == []


def test_control_files_are_no_entries(tmp_path):
    (tmp_path / "status").write_text("enabled\n")
    (tmp_path / "register").write_text("")
    (tmp_path / "qemu-aarch64").write_text(TEXT)
    assert [entry.name for entry in read_entries(tmp_path)] == ["qemu-aarch64"]
    assert [entry.name for entry in claiming(AARCH64, read_entries(tmp_path))] == ["qemu-aarch64"]


def test_mounted_and_switched_on_are_told_apart(tmp_path):
    assert not is_mounted(tmp_path)
    (tmp_path / "status").write_text("disabled\n")
    assert is_mounted(tmp_path)
    assert not is_switched_on(tmp_path)


def test_a_folder_that_is_not_there_holds_nothing(tmp_path):
    assert read_entries(tmp_path / "absent") == []


def test_mips_abis_differ_by_their_flags():
    assert find_arch("mipsn32el").elf.example()[36] == 0x20
    assert find_arch("mipsel").elf.example()[36] == 0
