import pytest

from quarterdeck.binfmt.entries.debian import owners_of, package_version, version_numbers


@pytest.fixture
def root(tmp_path):
    info = tmp_path / "var/lib/dpkg/info"
    info.mkdir(parents=True)
    (info / "qemu-user-static.list").write_text("/.\n/usr\n/usr/bin\n/usr/bin/qemu-arm-static\n")
    (info / "old:amd64.list").write_text("/bin/old\n")
    (tmp_path / "var/lib/dpkg/status").write_text(
        "Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n\nPackage: there\nStatus: install ok installed\nVersion: 1:2.3-4\n"
    )
    return tmp_path


def test_files_belong_to_packages(root):
    owned = owners_of(["/usr/bin/qemu-arm-static", "/usr/bin/nothing"], root)
    assert owned == {"/usr/bin/qemu-arm-static": "qemu-user-static"}


def test_folders_that_moved_below_usr_are_found_by_either_name(root):
    assert owners_of(["/usr/bin/old"], root) == {"/usr/bin/old": "old"}


def test_only_installed_packages_have_a_version(root):
    assert package_version("there", root) == "1:2.3-4"
    assert package_version("gone", root) == ""
    assert package_version("the", root) == ""


def test_a_system_without_dpkg_has_no_owners(tmp_path):
    assert owners_of(["/usr/bin/x"], tmp_path) == {}
    assert package_version("x", tmp_path) == ""


@pytest.mark.parametrize(("text", "numbers"), [("2.2.2-2", (2, 2, 2)), ("1:2.1.7", (2, 1, 7)), ("2.1.6+b1", (2, 1)), ("x", ()), ("", ())])
def test_versions_are_numbers(text, numbers):
    assert version_numbers(text) == numbers
