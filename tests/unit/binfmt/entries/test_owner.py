import pytest

from quarterdeck.binfmt.entries.interpreter import FileState, Found
from quarterdeck.binfmt.entries.owner import OwnerKind, owners
from quarterdeck.host.binfmt_misc import Entry

LINE = ":{name}:M::MZ::{interpreter}:F\n"


@pytest.fixture
def root(tmp_path):
    for folder in ("etc/binfmt.d", "usr/lib/binfmt.d", "var/lib/binfmts", "var/lib/dpkg/info"):
        (tmp_path / folder).mkdir(parents=True)
    return tmp_path


def owner(root, name="qemu-arm", interpreter="/usr/bin/qemu-arm", file=FileState.SAME, flags="F"):
    return owners([Found(Entry(name, True, interpreter, flags, 0, b"MZ"), 1.0, file)], root)[name]


def test_an_entry_of_a_packages_file_belongs_to_the_package(root):
    (root / "usr/lib/binfmt.d/qemu-arm.conf").write_text(LINE.format(name="qemu-arm", interpreter="/usr/bin/qemu-arm"))
    (root / "var/lib/dpkg/info/qemu-user.list").write_text("/usr/lib/binfmt.d/qemu-arm.conf\n")
    found = owner(root)
    assert (found.kind, found.package, found.file) == (OwnerKind.BINFMT_D, "qemu-user", "/usr/lib/binfmt.d/qemu-arm.conf")
    assert str(found) == "qemu-user (/usr/lib/binfmt.d/qemu-arm.conf)"


def test_an_entry_of_our_file_is_ours(root):
    text = "# Written by Quarterdeck; x\n" + LINE.format(name="qemu-arm", interpreter="/usr/bin/qemu-arm")
    (root / "etc/binfmt.d/qemu-arm.conf").write_text(text)
    assert owner(root).kind is OwnerKind.QUARTERDECK


def test_a_file_for_another_interpreter_is_not_the_owner(root):
    (root / "usr/lib/binfmt.d/qemu-arm.conf").write_text(LINE.format(name="qemu-arm", interpreter="/opt/qemu-arm"))
    assert owner(root).kind is OwnerKind.UNKNOWN


def test_an_entry_of_binfmt_support_names_its_package(root):
    (root / "var/lib/binfmts/qemu-arm").write_text("qemu-user-static\nmagic\n0\nMZ\n\n/usr/bin/qemu-arm\n\nno\nno\nyes\n")
    found = owner(root)
    assert (found.kind, found.package) == (OwnerKind.BINFMT_SUPPORT, "qemu-user-static")


def test_an_interpreter_of_a_package_registered_by_nobody_we_know(root):
    (root / "var/lib/dpkg/info/qemu-user.list").write_text("/usr/bin/qemu-arm\n")
    found = owner(root)
    assert (found.kind, found.package) == (OwnerKind.PACKAGE, "qemu-user")


def test_an_interpreter_that_is_not_here_is_an_images_or_deleted(root):
    assert owner(root, file=FileState.MISSING).kind is OwnerKind.IMAGE
    assert owner(root, file=FileState.MISSING, flags="").kind is OwnerKind.UNKNOWN


def test_the_entry_of_wsl_is_known_by_name(root):
    assert owner(root, "WSLInterop-late", "/init").kind is OwnerKind.WSL


def test_a_copy_with_a_cpu_model_is_ours_without_a_file_too(root, tmp_path, monkeypatch):
    monkeypatch.setenv("QUARTERDECK_HOME", str(tmp_path / "home"))
    copy = str(tmp_path / "home/binfmt/qemu-aarch64-7.2.22-0123456789ab")
    assert str(owner(root, interpreter=copy)) == "Quarterdeck"
    assert owner(root, interpreter=copy, file=FileState.MISSING).kind is OwnerKind.IMAGE
