import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.unit.host.fake_host import FakeHost

from quarterdeck.core import process
from quarterdeck.core.arch import find_arch
from quarterdeck.host.check import Status
from quarterdeck.host.checks import binfmt, emulators, engines, helpers, kernel, limits, network, processor, userns
from quarterdeck.host.facts import KvmFacts, NetworkFacts, Verdict
from quarterdeck.host.tools import TOOLS

X86 = find_arch("x86_64")
BINFMT = "/proc/sys/fs/binfmt_misc"


@pytest.mark.parametrize(
    ("release", "status"),
    [
        ("6.1.0-32-amd64", Status.OK),
        ("5.10.0", Status.OK),
        ("5.4.0", Status.WARN),
        ("4.18.0-el8", Status.WARN),
        ("", Status.WARN),
        ("odd", Status.WARN),
    ],
)
def test_old_kernels_are_warned_of(release: str, status: Status) -> None:
    assert kernel.kernel_check(release).status is status


def test_the_place_names_distribution_and_container(host: FakeHost) -> None:
    host.write("/etc/os-release", 'PRETTY_NAME="Some OS"\n')
    host.write("/run/.containerenv")
    assert kernel.place_check(host.root).detail == "Some OS, in a podman container"


@pytest.mark.parametrize(
    ("cpuinfo", "status"),
    [
        ("model name : X\nflags : vmx", Status.OK),
        ("model name : X\nflags : sse", Status.WARN),
        ("", Status.INFO),
        ("\xff\0flags", Status.INFO),
    ],
)
def test_the_processor_is_judged_by_its_flag(host: FakeHost, cpuinfo: str, status: Status) -> None:
    host.write("/proc/cpuinfo", cpuinfo)
    assert processor.processor_check(X86, host.root).status is status


def test_kvm_is_ok_only_when_proved() -> None:
    assert processor.kvm_check(KvmFacts(True, "x")).status is Status.OK
    check = processor.kvm_check(KvmFacts(False, "no device", "modprobe kvm"))
    assert check.status is Status.WARN
    assert check.fix == "modprobe kvm"
    assert not check.fatal


@pytest.mark.parametrize(
    ("value", "words"), [("Y", "on"), ("1", "on"), ("N", "off"), ("0", "off"), ("what", "does not say"), ("", "does not say")]
)
def test_nesting_is_read_from_the_module(host: FakeHost, value: str, words: str) -> None:
    host.write("/sys/module/kvm_amd/parameters/nested", value)
    assert words in processor.nested_check(X86, host.root).detail


def test_network_devices_are_optional(host: FakeHost) -> None:
    checks = network.device_checks(host.root)
    assert [check.status for check in checks] == [Status.INFO, Status.INFO]
    assert "modprobe tun" in checks[0].fix
    host.write("/run/.containerenv")
    assert "--device /dev/net/tun" in network.device_checks(host.root)[0].fix


def test_a_file_in_place_of_a_network_device_is_warned_of(host: FakeHost) -> None:
    host.write("/dev/net/tun")
    assert network.device_checks(host.root)[0].status is Status.WARN


def test_network_modes_say_what_they_lack() -> None:
    lacking = Verdict(False, "it lacks NET_ADMIN", "give it --cap-add NET_ADMIN")
    facts = NetworkFacts(passt=Verdict(True, "it was tried"), tap=lacking, forwarding4=Verdict(True, "it is on"))
    passt, tap, ipv6 = network.mode_checks(facts)
    assert (passt.status, tap.status, tap.fix, ipv6.status) == (Status.OK, Status.INFO, lacking.hint, Status.INFO)


def test_cgroup_versions_are_told_apart(host: FakeHost) -> None:
    assert limits.cgroup_check(host.root).status is Status.INFO
    host.write("/proc/self/cgroup", "0::/\n")
    host.write("/proc/self/mountinfo", "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n")
    host.write("/sys/fs/cgroup/memory.max", str(1 << 30))
    check = limits.cgroup_check(host.root)
    assert check.status is Status.OK
    assert "1 GiB" in check.detail


def test_little_memory_is_warned_of(host: FakeHost) -> None:
    assert limits.memory_check(host.root).status is Status.WARN
    host.write("/proc/meminfo", "MemTotal: 4000000 kB\nMemAvailable: 1000 kB\n")
    assert limits.memory_check(host.root).status is Status.WARN


@pytest.mark.parametrize(
    ("free", "status", "fatal"), [(1 << 20, Status.FAIL, True), (5 << 30, Status.WARN, False), (50 << 30, Status.OK, False)]
)
def test_a_full_disk_is_fatal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, status: Status, fatal: bool) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=free))
    check = limits.disk_check(tmp_path / "not" / "yet")
    assert check.status is status
    assert check.fatal is fatal


def test_a_file_in_place_of_the_home_is_fatal(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert limits.disk_check(tmp_path / "file").fatal


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("/proc/sys/user/max_user_namespaces", "0", "limited"),
        ("/proc/sys/kernel/unprivileged_userns_clone", "0", "root only"),
        ("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1", "AppArmor"),
    ],
)
def test_each_knob_that_forbids_user_namespaces_is_named(host: FakeHost, path: str, value: str, words: str) -> None:
    host.write("/proc/self/ns/user")
    assert userns.kernel_check(host.root).status is Status.OK
    host.write(path, value)
    check = userns.kernel_check(host.root)
    assert check.status is Status.WARN
    assert words in check.detail
    assert check.fix


def test_a_kernel_without_user_namespaces_is_warned_of(host: FakeHost) -> None:
    assert userns.kernel_check(host.root).status is Status.WARN


def test_mapped_ids_are_added_up() -> None:
    text = "anna:100000:65536\n1000:300000:1000\nbert:1:9\nodd\nanna:x:5\nanna:5:y\n:1:1\n"
    assert userns.count_ids(text, 1000, "anna") == 66536
    assert userns.count_ids(text, 7, "") == 0


def test_too_few_mapped_ids_are_warned_of(host: FakeHost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "find", lambda name, *extra: f"/usr/bin/{name}")
    check = userns.ids_check(host.root, 1000, "anna")
    assert check.status is Status.WARN
    assert "usermod" in check.fix
    host.write("/etc/subuid", "anna:100000:65536")
    host.write("/etc/subgid", "anna:100000:65536")
    assert userns.ids_check(host.root, 1000, "anna").status is Status.OK
    assert userns.ids_check(host.root, 0, "root").status is Status.INFO


def test_binfmt_states(host: FakeHost) -> None:
    assert binfmt.binfmt_check(host.root).detail == "not loaded"
    host.write("/proc/filesystems", "nodev\tbinfmt_misc\n")
    assert "not mounted" in binfmt.binfmt_check(host.root).detail
    host.write(f"{BINFMT}/status", "disabled\n")
    host.write(f"{BINFMT}/register")
    assert "switched off" in binfmt.binfmt_check(host.root).detail
    host.write(f"{BINFMT}/status", "enabled\n")
    assert "no QEMU emulator" in binfmt.binfmt_check(host.root).detail
    host.write(f"{BINFMT}/qemu-aarch64", "enabled\ninterpreter /usr/bin/q\nflags: POF\noffset 0\n")
    host.write(f"{BINFMT}/python3.11", "enabled\ninterpreter /usr/bin/python\nflags: \n")
    assert binfmt.binfmt_check(host.root).status is Status.OK
    host.write(f"{BINFMT}/qemu-arm", "enabled\ninterpreter /usr/bin/Fancy\nflags: OC\noffset 0\n")
    check = binfmt.binfmt_check(host.root)
    assert check.status is Status.WARN
    assert check.detail.endswith(": qemu-arm")


def test_only_qemu_img_is_a_needed_helper() -> None:
    checks = helpers.helper_checks({})
    assert [check.key for check in checks if check.fatal] == ["tool-qemu-img"]
    assert all(check.fix for check in checks)


def test_all_helpers_found_is_ok() -> None:
    found = {tool.name: f"/usr/bin/{tool.name}" for tool in TOOLS}
    assert {check.status for check in helpers.helper_checks(found)} == {Status.OK}


def test_missing_firmware_names_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emulators, "installed_firmware", lambda arch: ())
    check = emulators.firmware_check(find_arch("aarch64"))
    assert "qemu-efi-aarch64" in check.fix
    assert "edk2" not in check.fix


async def test_the_emulator_of_this_host_is_needed_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emulators, "find_qemu", lambda arch: None)
    monkeypatch.setattr(emulators, "_own_name", lambda: "x86_64")
    checks = await emulators.check()
    assert [check.key for check in checks if check.fatal] == ["qemu-x86_64"]


@pytest.mark.parametrize(
    ("text", "summary"),
    [
        ("28.5.2\n", "28.5.2"),
        ('{\n  "major": "1",\n  "gitVersion": "v1.33.1"\n}', "gitVersion: v1.33.1"),
        ("", "nothing"),
        ("x" * 500, "x" * 100),
    ],
)
def test_answers_of_engines_are_cut_short(text: str, summary: str) -> None:
    assert engines.summary(text) == summary
