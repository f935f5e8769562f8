import pytest

from quarterdeck.binfmt.persist.choice import Keeper, choose


@pytest.fixture
def root(tmp_path):
    for folder in ("proc/1", "run", "etc/systemd/system", "usr/lib/systemd", "usr/sbin", "var/lib/dpkg"):
        (tmp_path / folder).mkdir(parents=True)
    return tmp_path


def booted_by_systemd(root):
    (root / "run/systemd/system").mkdir(parents=True)
    (root / "usr/lib/systemd/systemd-binfmt").touch()


def has_binfmt_support(root, version="2.2.2-2"):
    (root / "usr/sbin/update-binfmts").touch()
    text = f"Package: other\nStatus: install ok installed\n\nPackage: binfmt-support\nStatus: install ok installed\nVersion: {version}\n\n"
    (root / "var/lib/dpkg/status").write_text(text)


def test_systemd_keeps_by_binfmt_d(root):
    booted_by_systemd(root)
    has_binfmt_support(root)
    choice = choose(root)
    assert choice.keeper is Keeper.BINFMT_D
    assert choice.reason


def test_without_systemd_binfmt_support_keeps(root):
    has_binfmt_support(root)
    choice = choose(root)
    assert (choice.keeper, choice.program) == (Keeper.BINFMT_SUPPORT, "/usr/sbin/update-binfmts")
    assert "not booted by systemd" in choice.reason


def test_a_masked_service_of_systemd_is_not_relied_on(root):
    booted_by_systemd(root)
    (root / "etc/systemd/system/systemd-binfmt.service").symlink_to("/dev/null")
    choice = choose(root)
    assert choice.keeper is Keeper.NONE
    assert "masked" in choice.reason
    assert choice.hint


def test_a_systemd_without_its_binfmt_program_keeps_nothing(root):
    booted_by_systemd(root)
    (root / "usr/lib/systemd/systemd-binfmt").unlink()
    assert choose(root).keeper is Keeper.NONE


def test_binfmt_support_that_does_not_know_fix_binary_is_not_used(root):
    has_binfmt_support(root, "2.1.6-1")
    choice = choose(root)
    assert choice.keeper is Keeper.NONE
    assert "2.1.7" in choice.reason


def test_nothing_there_is_said_with_what_to_do(root):
    choice = choose(root)
    assert choice.keeper is Keeper.NONE
    assert "binfmt-support is not installed" in choice.reason
    assert "each boot" in choice.hint


def test_emulators_of_a_container_cannot_be_kept(root):
    booted_by_systemd(root)
    (root / "run/.containerenv").touch()
    choice = choose(root)
    assert choice.keeper is Keeper.NONE
    assert "podman" in choice.reason
