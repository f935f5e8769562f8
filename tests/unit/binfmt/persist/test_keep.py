import pytest

from quarterdeck.binfmt.kernel.registration import Registration
from quarterdeck.binfmt.persist import binfmt_d, binfmt_support
from quarterdeck.binfmt.persist.choice import Choice, Keeper
from quarterdeck.binfmt.persist.keep import forget, is_kept, keep, returning
from quarterdeck.core.arch import find_arch
from quarterdeck.errors import HostError

ARM64 = Registration.of(find_arch("arm64"), "/usr/bin/qemu-aarch64-static", "OCF")
RISCV = Registration.of(find_arch("riscv64"), "/usr/bin/qemu-riscv64-static", "OCF")
SYSTEMD = Choice(Keeper.BINFMT_D, "systemd")


@pytest.fixture
def root(tmp_path):
    for folder in ("etc/binfmt.d", "usr/lib/binfmt.d", "var/lib/binfmts"):
        (tmp_path / folder).mkdir(parents=True)
    return tmp_path


def packaged(root, registration, flags="POF"):
    line = Registration(registration.name, registration.magic, registration.mask, registration.interpreter, flags).line().decode()
    (root / f"usr/lib/binfmt.d/{registration.name}.conf").write_text(f"{line}\n")


def test_a_file_is_written_that_systemd_reads_and_that_says_whose_it_is(root):
    assert keep([ARM64], SYSTEMD, root) == ["/etc/binfmt.d/qemu-aarch64.conf"]
    file = root / "etc/binfmt.d/qemu-aarch64.conf"
    comment, line = file.read_text().splitlines()
    assert comment.startswith("# Written by Quarterdeck")
    assert line.encode() == ARM64.line()
    assert file.stat().st_mode & 0o777 == 0o644
    assert [found.ours for found in binfmt_d.lines(root)] == [True]


def test_our_file_hides_the_packages_of_the_same_name(root):
    packaged(root, ARM64)
    assert not is_kept(ARM64, SYSTEMD, root)
    keep([ARM64], SYSTEMD, root)
    assert is_kept(ARM64, SYSTEMD, root)
    assert [(line.file, line.flags) for line in binfmt_d.lines(root)] == [("/etc/binfmt.d/qemu-aarch64.conf", "OCF")]


def test_what_a_package_keeps_the_same_way_needs_no_file(root):
    packaged(root, ARM64, "CF")
    assert keep([ARM64], SYSTEMD, root) == []


def test_an_administrators_file_is_never_overwritten_and_nothing_is_left_behind(root):
    theirs = root / "etc/binfmt.d/qemu-riscv64.conf"
    theirs.write_text("# mine\n")
    with pytest.raises(HostError) as caught:
        keep([ARM64, RISCV], SYSTEMD, root)
    assert caught.value.key == "binfmt-file-foreign"
    assert theirs.read_text() == "# mine\n"
    assert not (root / "etc/binfmt.d/qemu-aarch64.conf").exists()


def test_a_link_to_dev_null_is_an_administrators_file_too(root):
    (root / "etc/binfmt.d/qemu-aarch64.conf").symlink_to("/dev/null")
    with pytest.raises(HostError):
        keep([ARM64], SYSTEMD, root)


def test_our_older_file_comes_back_when_something_else_fails(root):
    keep([ARM64], SYSTEMD, root)
    before = (root / "etc/binfmt.d/qemu-aarch64.conf").read_text()
    (root / "etc/binfmt.d/qemu-riscv64.conf").write_text("# mine\n")
    other = Registration.of(find_arch("arm64"), "/opt/qemu-aarch64", "OCF")
    with pytest.raises(HostError):
        keep([other, RISCV], SYSTEMD, root)
    assert (root / "etc/binfmt.d/qemu-aarch64.conf").read_text() == before


def test_a_folder_that_cannot_be_written_is_said_in_words(root):
    (root / "etc/binfmt.d").rmdir()
    (root / "etc/binfmt.d").touch()
    with pytest.raises(HostError) as caught:
        keep([ARM64], SYSTEMD, root)
    assert "--no-persist" in caught.value.hint


def test_only_our_files_are_removed(root):
    keep([ARM64], SYSTEMD, root)
    packaged(root, ARM64)
    (root / "etc/binfmt.d/qemu-riscv64.conf").write_text(f"{RISCV.line().decode()}\n")
    assert forget(["qemu-aarch64", "qemu-riscv64", "qemu-arm"], SYSTEMD, root) == ["/etc/binfmt.d/qemu-aarch64.conf"]
    assert (root / "etc/binfmt.d/qemu-riscv64.conf").exists()


def test_who_registers_it_again_at_the_next_boot_is_told(root):
    packaged(root, ARM64)
    (root / "var/lib/binfmts/qemu-riscv64").write_text("qemu-user-static\nmagic\n0\nM\nK\n/usr/bin/q\n\nno\nyes\nyes\n")
    packaged(root, RISCV)
    file, support = returning(["qemu-aarch64", "qemu-riscv64"], SYSTEMD, root)
    assert "at the next boot: qemu-aarch64, qemu-riscv64; to prevent" in file
    assert "ln -s /dev/null /etc/binfmt.d/qemu-aarch64.conf" in file
    assert support == "package qemu-user-static registers again by binfmt-support at the next boot: qemu-riscv64"


def test_files_that_nothing_reads_at_boot_register_nothing(root):
    packaged(root, ARM64)
    assert returning(["qemu-aarch64"], Choice(Keeper.NONE, "no systemd"), root) == []
    assert returning(["qemu-aarch64"], Choice(Keeper.BINFMT_SUPPORT, "no systemd"), root) == []


def test_where_nothing_keeps_nothing_is_written(root):
    assert keep([ARM64], Choice(Keeper.NONE, "why"), root) == []
    assert list((root / "etc/binfmt.d").iterdir()) == []


def test_the_command_of_binfmt_support_says_every_flag():
    argv = binfmt_support.install_argv("/usr/sbin/update-binfmts", ARM64)
    pairs = dict(zip(argv[4::2], argv[5::2], strict=True))
    assert argv[:4] == ["/usr/sbin/update-binfmts", "--install", "qemu-aarch64", "/usr/bin/qemu-aarch64-static"]
    assert pairs["--fix-binary"] == pairs["--credentials"] == "yes"
    assert pairs["--preserve"] == "no"
    assert pairs["--magic"].startswith(r"\x7f\x45\x4c\x46")
    assert len(pairs["--mask"]) == len(pairs["--magic"])


def test_a_format_that_a_package_has_is_left_to_it(root):
    (root / "var/lib/binfmts/qemu-aarch64").write_text("qemu-user-static\nmagic\n0\nM\nK\n/usr/bin/q\n\nno\nyes\nyes\n")
    with pytest.raises(HostError) as caught:
        keep([ARM64], Choice(Keeper.BINFMT_SUPPORT, "why", program="/usr/sbin/update-binfmts"), root)
    assert "--package qemu-user-static --remove" in caught.value.hint


@pytest.mark.parametrize("text", ["", "\n\n", ":x", ":a:b:c\n# x\n;y\n", "\0\0", ":" * 400])
def test_damaged_files_are_read_without_harm(root, text):
    (root / "usr/lib/binfmt.d/x.conf").write_text(text)
    (root / "var/lib/binfmts/x").write_text(text)
    assert binfmt_d.lines(root) == []
    assert binfmt_support.formats(root) == []
