import os
from pathlib import Path

import pytest

from quarterdeck.binfmt.entries.interpreter import FileState, look
from quarterdeck.binfmt.kernel.instance import Built, Kind, device, probe_instance
from quarterdeck.host.binfmt_misc import Entry
from quarterdeck.host.files import below

FOLDER = Path("/proc/sys/fs/binfmt_misc")
MOUNT = f"44 22 0:{{}} / {FOLDER} rw,relatime shared:1 - binfmt_misc binfmt_misc rw\n"


@pytest.fixture
def root(tmp_path):
    for folder in ("proc/self/ns", "proc/1/ns", "proc/sys/kernel", "proc/sys/fs/binfmt_misc"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "proc/sys/kernel/osrelease").write_text("6.18.1-x\n")
    (tmp_path / "proc/filesystems").write_text("nodev\tsysfs\nnodev\tbinfmt_misc\n\text4\n")
    namespaces(tmp_path, user="user:[4026531837]", pid="pid:[4026531836]")
    return tmp_path


def namespaces(root, **links):
    for name, target in links.items():
        (root / f"proc/self/ns/{name}").unlink(missing_ok=True)
        (root / f"proc/self/ns/{name}").symlink_to(target)


def mounted(root, own="41", host="41"):
    for name in ("status", "register"):
        (root / f"proc/sys/fs/binfmt_misc/{name}").write_text("enabled\n")
    (root / "proc/self/mountinfo").write_text(MOUNT.format(own))
    (root / "proc/1/mountinfo").write_text(MOUNT.format(host))


def probe(root):
    return probe_instance(below(root, str(FOLDER)), root=root)


def test_a_host_that_has_it_mounted(root):
    mounted(root)
    found = probe(root)
    assert (found.built, found.mounted, found.kind, found.kernel) == (Built.YES, True, Kind.HOST, (6, 18))
    assert found.writable
    assert found.created > 0


def test_a_host_that_has_it_not_mounted(root):
    found = probe(root)
    assert (found.mounted, found.kind, found.writable, found.created) == (False, Kind.ABSENT, False, 0.0)


def test_a_module_that_is_not_loaded_is_found(root):
    (root / "proc/filesystems").write_text("nodev\tsysfs\n")
    assert probe(root).built is Built.NO
    folder = root / "lib/modules/6.18.1-x/kernel/fs"
    folder.mkdir(parents=True)
    (folder / "binfmt_misc.ko.xz").touch()
    assert probe(root).built is Built.MODULE


def test_a_user_namespace_that_sees_the_hosts_instance(root):
    namespaces(root, user="user:[4026532000]")
    folder = below(root, str(FOLDER))
    mounted(root)
    for name in ("self", "1"):
        (root / f"proc/{name}/mountinfo").write_text(MOUNT.format("41").replace(str(FOLDER), str(folder)))
    assert probe(root).kind is Kind.INHERITED


@pytest.mark.skipif(os.geteuid() != 0, reason="files of user 0 can be made by root only")
def test_a_user_namespace_with_an_instance_of_its_own(root):
    namespaces(root, user="user:[4026532000]")
    mounted(root, own="50")
    assert probe(root).kind is Kind.OWN


def test_an_automount_is_no_mount(root):
    (root / "proc/self/mountinfo").write_text(f"33 22 0:30 / {FOLDER} rw - autofs systemd-1 rw\n" + MOUNT.format("41"))
    assert device("autofs", FOLDER, root=root) == "0:30"
    assert device("binfmt_misc", FOLDER, root=root) == "0:41"
    assert device("ext4", FOLDER, root=root) == ""


@pytest.mark.parametrize("text", ["", "\n", "a b c\n", " - \n", "1 2 3 4 5 6 7 - binfmt_misc\n", "\0"])
def test_a_damaged_list_of_mounts_means_none(root, text):
    (root / "proc/self/mountinfo").write_text(text)
    assert device("binfmt_misc", FOLDER, root=root) == ""


def entry(interpreter):
    return Entry("qemu-x", True, str(interpreter), "F", 0, b"MZ")


def test_an_interpreter_that_is_older_than_its_registration_is_the_same(tmp_path):
    (tmp_path / "qemu").touch()
    (tmp_path / "qemu-x").touch()
    os.utime(tmp_path / "qemu-x", (0, 0))
    (found,) = look([entry(tmp_path / "qemu")], tmp_path)
    assert found.file is FileState.SAME
    assert found.registered > 0


def test_an_interpreter_that_changed_later_is_told(tmp_path):
    (tmp_path / "qemu-x").touch()
    registered = (tmp_path / "qemu-x").stat().st_ctime
    (tmp_path / "qemu").touch()
    while (tmp_path / "qemu").stat().st_ctime <= registered:
        (tmp_path / "qemu").touch()
    (found,) = look([entry(tmp_path / "qemu")], tmp_path)
    assert found.file is FileState.CHANGED


@pytest.mark.parametrize(("container", "state"), [("", FileState.MISSING), ("docker", FileState.UNKNOWN)])
def test_an_interpreter_that_is_not_here_means_nothing_inside_a_container(tmp_path, container, state):
    (tmp_path / "qemu-x").touch()
    (found,) = look([entry(tmp_path / "gone")], tmp_path, container=container)
    assert found.file is state


@pytest.mark.parametrize("interpreter", ["", "\0", "x" * 5000])
def test_an_interpreter_that_is_no_path_is_missing(tmp_path, interpreter):
    (found,) = look([entry(interpreter)], tmp_path)
    assert found.file is FileState.MISSING
