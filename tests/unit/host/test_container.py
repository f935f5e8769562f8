import pytest
from tests.unit.host.fake_host import FakeHost

from quarterdeck.host.container import container


@pytest.mark.parametrize(
    ("path", "content", "name"),
    [
        ("/.dockerenv", "", "docker"),
        ("/run/.containerenv", "", "podman"),
        ("/run/secrets/kubernetes.io/serviceaccount/token", "", "kubernetes"),
        ("/run/host/container-manager", "systemd-nspawn\n", "systemd-nspawn"),
        ("/proc/1/environ", b"PATH=/bin\0container=lxc\0", "lxc"),
        ("/proc/1/cgroup", "0::/kubepods/burstable/pod1\n", "kubernetes"),
        ("/proc/1/cgroup", "4:memory:/docker/abcdef\n", "docker"),
    ],
)
def test_each_manager_leaves_a_trace(host: FakeHost, path: str, content: str, name: str) -> None:
    host.write(path, content)
    assert container(host.root) == name


def test_no_trace_is_no_container(host: FakeHost) -> None:
    host.write("/proc/1/cgroup", "0::/init.scope\n")
    host.write("/proc/1/environ", b"PATH=/bin\0notcontainer=x\0")
    assert container(host.root) == ""


def test_a_disk_image_made_from_a_container_is_no_container(host: FakeHost) -> None:
    host.write("/.dockerenv")
    host.link("/proc/self/ns/pid", "pid:[4026531836]")
    host.link("/proc/self/ns/uts", "uts:[4026531838]")
    host.link("/proc/self/ns/ipc", "ipc:[4026531839]")
    assert container(host.root) == ""


@pytest.mark.parametrize("content", ["two words", "x" * 500, "\x1b[31mred", "\n"])
def test_an_odd_name_is_not_repeated(host: FakeHost, content: str) -> None:
    host.write("/run/host/container-manager", content)
    assert container(host.root) == ""
