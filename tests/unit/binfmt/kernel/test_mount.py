import ctypes
import errno
from dataclasses import replace

import pytest

from quarterdeck.binfmt.kernel import mount
from quarterdeck.binfmt.kernel.instance import Built, Instance, Kind
from quarterdeck.core.process import Completed
from quarterdeck.errors import HostError

ABSENT = Instance(
    folder="/proc/sys/fs/binfmt_misc",
    built=Built.YES,
    mounted=False,
    automount=False,
    enabled=False,
    writable=False,
    kind=Kind.ABSENT,
    kernel=(6, 18),
)
THERE = replace(ABSENT, mounted=True, enabled=True, writable=True, kind=Kind.HOST, created=1.0)


class Place:
    """A host or container that the module believes to be in."""

    def __init__(self, monkeypatch):
        self.instances = [ABSENT, THERE]
        self.facts = {
            "in_first_user_namespace": True,
            "sees_host": True,
            "shares_mounts_with_first_process": True,
            "created": float("inf"),
            "_container_started": 50.0,
        }
        self.devices = {"self": "0:41", "1": "0:41"}
        self.done: list[str] = []
        self.host_mount_fails = False
        for name in self.facts:
            monkeypatch.setattr(mount, name, lambda *args, name=name: self.facts[name])
        monkeypatch.setattr(mount, "device", lambda kind, folder, process="self": self.devices[process])
        monkeypatch.setattr(mount, "probe_instance", lambda folder: self.instances.pop(0) if len(self.instances) > 1 else self.instances[0])
        monkeypatch.setattr(mount, "mount", lambda folder: self.done.append("mount"))
        monkeypatch.setattr(mount, "unmount", lambda folder: self.done.append("unmount"))
        monkeypatch.setattr("quarterdeck.binfmt.kernel.mount.process.run", self.run)

    def run(self, argv, *, check=True, timeout=None):
        self.done.append(" ".join(argv[argv.index("--") + 1 :] if "--" in argv else argv))
        if self.host_mount_fails:
            raise HostError("program-missing", "nsenter is not installed")
        if argv[-3:-1] == ["binfmt_misc", "binfmt_misc"]:
            self.devices["1"] = self.devices["self"]
        return Completed(tuple(argv), 1 if "cat" in argv else 0, b"", b"")


@pytest.fixture
def place(monkeypatch):
    return Place(monkeypatch)


def container(place, *, host_pid=False):
    place.instances = [replace(ABSENT, container="docker"), replace(THERE, container="docker")]
    place.facts.update(sees_host=host_pid, shares_mounts_with_first_process=not host_pid)
    place.devices = {"self": "0:99", "1": ""}


def test_a_host_mounts_it(place):
    mounted = mount.ensure_mounted()
    assert (mounted.by_us, mounted.reason, place.done) == (True, "it is mounted on the host", ["mount"])


def test_what_is_mounted_stays_as_it_is(place):
    place.instances = [THERE]
    assert not mount.ensure_mounted().by_us
    assert place.done == []


def test_a_container_that_joins_an_instance_from_outside_may_register(place):
    container(place)
    place.facts["created"] = 1.0
    assert mount.ensure_mounted().reason == "something outside this container has it mounted too"


def test_a_container_that_would_lose_everything_is_told_and_its_mount_undone(place):
    container(place)
    with pytest.raises(HostError) as caught:
        mount.ensure_mounted()
    assert caught.value.key == "binfmt-would-be-lost"
    assert "--pid=host" in caught.value.hint
    assert place.done == ["mount", "unmount"]


def test_a_container_that_sees_the_hosts_processes_mounts_it_there_too(place):
    container(place, host_pid=True)
    assert mount.ensure_mounted().reason == "it was mounted on the host too"
    assert place.done == [
        "mount",
        "cat /proc/sys/fs/binfmt_misc/status",
        "mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc",
    ]


def test_an_instance_that_only_another_container_holds_is_mounted_on_the_host_too(place):
    container(place, host_pid=True)
    place.facts["created"] = 1.0
    assert mount.ensure_mounted().reason == "it was mounted on the host too"


def test_a_container_that_finds_the_hosts_own_mount_leaves_the_host_alone(place):
    container(place, host_pid=True)
    place.devices["1"] = place.devices["self"]
    assert mount.ensure_mounted().reason == "it is mounted on the host"
    assert place.done == ["mount"]


def test_a_container_that_cannot_mount_it_on_the_host_is_told_why(place):
    container(place, host_pid=True)
    place.host_mount_fails = True
    with pytest.raises(HostError, match="would be lost") as caught:
        mount.ensure_mounted()
    assert "nsenter is not installed" in caught.value.reason
    assert place.done[-1] == "unmount"


def test_before_linux_6_7_entries_stay_without_a_mount(place):
    container(place)
    place.instances = [replace(ABSENT, container="docker", kernel=(6, 6)), THERE]
    assert "before Linux 6.7" in mount.ensure_mounted().reason


@pytest.mark.parametrize(("created", "stays"), [(10.0, True), (60.0, False)])
def test_an_instance_that_a_container_found_mounted_stays_when_it_is_older_than_the_container(place, created, stays):
    container(place)
    place.instances = [replace(THERE, container="docker")]
    place.facts["created"] = created
    if stays:
        assert "older than this container" in mount.ensure_mounted().reason
    else:
        with pytest.raises(HostError, match="would be lost"):
            mount.ensure_mounted()


def test_a_user_namespace_is_refused_before_anything_is_mounted(place):
    place.facts["in_first_user_namespace"] = False
    with pytest.raises(HostError) as caught:
        mount.ensure_mounted()
    assert caught.value.key == "binfmt-user-namespace"
    assert "qd binfmt run" in caught.value.hint
    assert place.done == []


def test_an_inherited_instance_is_refused(place):
    place.instances = [replace(THERE, kind=Kind.INHERITED)]
    with pytest.raises(HostError, match="user namespace"):
        mount.ensure_mounted()


def test_an_own_instance_is_taken_for_what_it_is(place):
    place.instances = [replace(THERE, kind=Kind.OWN)]
    assert "as long as this user namespace's mount" in mount.ensure_mounted().reason


def test_a_module_is_loaded_first(place):
    place.instances = [replace(ABSENT, built=Built.MODULE), THERE]
    mount.ensure_mounted()
    assert place.done == ["modprobe binfmt_misc", "mount"]


def test_a_kernel_without_flag_f_is_told(place):
    place.instances = [replace(THERE, kernel=(4, 7))]
    with pytest.raises(HostError) as caught:
        mount.ensure_mounted()
    assert caught.value.key == "binfmt-old-kernel"


def test_a_kernel_without_it_is_told(place):
    place.instances = [replace(ABSENT, built=Built.NO)]
    with pytest.raises(HostError) as caught:
        mount.ensure_mounted()
    assert caught.value.key == "binfmt-missing"
    assert place.done == []


@pytest.mark.parametrize(("uid", "key", "hint"), [(1000, "binfmt-permission", "qd binfmt run"), (0, "binfmt-read-only", "--privileged")])
def test_a_registry_that_cannot_be_written_is_told(place, monkeypatch, uid, key, hint):
    place.instances = [replace(THERE, writable=False)]
    monkeypatch.setattr("quarterdeck.binfmt.kernel.mount.os.geteuid", lambda: uid)
    with pytest.raises(HostError) as caught:
        mount.ensure_mounted()
    assert caught.value.key == key
    assert hint in caught.value.hint


class RefusingLibc:
    """A C library whose calls all fail with one errno."""

    def __init__(self, number):
        self.number = number

    def __getattr__(self, name):
        def call(*args):
            ctypes.set_errno(self.number)
            return -1

        return call


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.EPERM, "only root"),
        (errno.EACCES, "read-only here or a security module"),
        (errno.EROFS, "read-only"),
        (errno.ENODEV, "built without"),
        (errno.ENOENT, "/proc is not mounted"),
        (errno.ENOSPC, "No space left"),
    ],
)
def test_each_refusal_to_mount_is_said_in_words(monkeypatch, number, reason):
    monkeypatch.setattr(mount, "_libc", lambda: RefusingLibc(number))
    with pytest.raises(HostError) as caught:
        mount.mount()
    assert caught.value.key == "binfmt-not-mounted"
    assert reason in caught.value.reason
    with pytest.raises(HostError, match="cannot be unmounted"):
        mount.unmount()


def test_the_hosts_entries_are_not_removed_from_a_user_namespace_that_sees_them(place):
    place.instances = [replace(THERE, kind=Kind.INHERITED)]
    with pytest.raises(HostError) as caught:
        mount.refuse_inherited()
    assert caught.value.key == "binfmt-user-namespace"
    assert "qd binfmt uninstall" in caught.value.hint


@pytest.mark.parametrize("kind", [Kind.HOST, Kind.OWN, Kind.ABSENT])
def test_entries_of_ones_own_may_be_removed(place, kind):
    place.instances = [replace(THERE, kind=kind)]
    mount.refuse_inherited()
