import os
from typing import Any

import pytest
from tests.unit.host.fake_host import FakeHost

from quarterdeck.host.resources import cpu_count, limits, memory, memory_pressure, oom_kills

MEMINFO = "MemTotal:       8388608 kB\nMemFree: 1048576 kB\nMemAvailable:   4194304 kB\nOdd line\nNegative: -5 kB\n"
V2_MOUNT = "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"


@pytest.fixture(autouse=True)
def eight_processors(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)))


@pytest.fixture
def v2(host: FakeHost) -> Any:
    host.write("/proc/meminfo", MEMINFO)
    host.write("/proc/self/cgroup", "0::/user.slice/app.scope\n")
    host.write("/proc/self/mountinfo", V2_MOUNT)
    host.folder("/sys/fs/cgroup/user.slice/app.scope")
    return host


def test_without_cgroups_the_host_is_the_limit(host: FakeHost) -> None:
    host.write("/proc/meminfo", MEMINFO)
    assert limits(host.root).version == 0
    assert cpu_count(host.root) == 8
    assert memory(host.root).total == 8 << 30
    assert memory(host.root).available == 4 << 30


def test_nothing_at_all_is_zero_memory_and_our_affinity(host: FakeHost) -> None:
    assert memory(host.root).total == 0
    assert memory(host.root).available == 0
    assert cpu_count(host.root) == 8


def test_v2_takes_the_smallest_limit_of_all_parents(v2: FakeHost) -> None:
    v2.write("/sys/fs/cgroup/user.slice/app.scope/memory.max", "max\n")
    v2.write("/sys/fs/cgroup/user.slice/memory.max", str(2 << 30))
    v2.write("/sys/fs/cgroup/user.slice/memory.current", str(1 << 30))
    v2.write("/sys/fs/cgroup/user.slice/memory.stat", f"anon 5\ninactive_file {256 << 20}\n")
    v2.write("/sys/fs/cgroup/user.slice/app.scope/cpu.max", "350000 100000\n")
    v2.write("/sys/fs/cgroup/user.slice/cpu.max", "max 100000\n")
    assert limits(v2.root).version == 2
    assert cpu_count(v2.root) == 3
    assert memory(v2.root).total == 2 << 30
    assert memory(v2.root).available == (1 << 30) + (256 << 20)


def test_a_fraction_of_a_processor_is_still_one(v2: FakeHost) -> None:
    v2.write("/sys/fs/cgroup/user.slice/app.scope/cpu.max", "50000 100000")
    assert cpu_count(v2.root) == 1


@pytest.mark.parametrize("content", ["", "max", "a b", "100000 0", "0 100000", "-1 100000", "1 2 3", "\xff"])
def test_an_odd_quota_limits_nothing(v2: FakeHost, content: str) -> None:
    v2.write("/sys/fs/cgroup/user.slice/app.scope/cpu.max", content)
    assert cpu_count(v2.root) == 8


def test_usage_above_the_limit_leaves_nothing(v2: FakeHost) -> None:
    v2.write("/sys/fs/cgroup/user.slice/app.scope/memory.max", "1000")
    v2.write("/sys/fs/cgroup/user.slice/app.scope/memory.current", "5000")
    assert memory(v2.root).available == 0


def test_v1_limits_of_a_container_that_kept_the_hosts_names(host: FakeHost) -> None:
    host.write("/proc/meminfo", MEMINFO)
    host.write("/proc/self/cgroup", "5:cpu,cpuacct:/docker/abc\n4:memory:/docker/abc\nodd\n")
    host.write(
        "/proc/self/mountinfo",
        "31 30 0:30 /docker/abc /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct\n"
        "35 30 0:31 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\nodd\n",
    )
    host.write("/sys/fs/cgroup/memory/memory.limit_in_bytes", str(1 << 30))
    host.write("/sys/fs/cgroup/memory/memory.usage_in_bytes", str(600 << 20))
    host.write("/sys/fs/cgroup/memory/memory.stat", f"total_inactive_file {100 << 20}")
    host.write("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "200000")
    host.write("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000")
    assert limits(host.root).version == 1
    assert cpu_count(host.root) == 2
    assert memory(host.root).total == 1 << 30
    assert memory(host.root).available == 524 << 20


def test_v1_writes_no_limit_as_a_huge_number(host: FakeHost) -> None:
    host.write("/proc/meminfo", MEMINFO)
    host.write("/proc/self/cgroup", "4:memory:/\n")
    host.write("/proc/self/mountinfo", "35 30 0:31 / /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n")
    host.write("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712")
    assert limits(host.root).memory is None
    assert memory(host.root).total == 8 << 30


@pytest.mark.parametrize("place", ["/../../../../etc", "/gone/away", "/"])
def test_a_cgroup_that_is_not_visible_falls_back_to_the_mount(host: FakeHost, place: str) -> None:
    host.write("/proc/meminfo", MEMINFO)
    host.write("/proc/self/cgroup", f"0::{place}\n")
    host.write("/proc/self/mountinfo", V2_MOUNT)
    host.write("/sys/fs/cgroup/memory.max", str(3 << 30))
    assert memory(host.root).total == 3 << 30


def test_kills_for_want_of_memory_are_counted_in_our_own_group(v2: FakeHost) -> None:
    v2.write("/sys/fs/cgroup/memory.events", "oom 9\noom_kill 9\n")
    assert oom_kills(v2.root) is None
    v2.write("/sys/fs/cgroup/user.slice/app.scope/memory.events", "low 0\noom 3\noom_kill 2\noom_group_kill 0\n")
    assert oom_kills(v2.root) == 2


def test_kills_for_want_of_memory_in_version_1(host: FakeHost) -> None:
    host.write("/proc/self/cgroup", "5:memory:/docker/box\n")
    host.write("/proc/self/mountinfo", "33 23 0:29 /docker/box /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n")
    host.write("/sys/fs/cgroup/memory/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n")
    assert oom_kills(host.root) == 1


def test_pressure_is_that_of_our_cgroup_else_of_the_host(v2: FakeHost) -> None:
    assert memory_pressure(v2.root) is None
    v2.write("/proc/pressure/memory", "some avg10=1.50 avg60=0.00 avg300=0.00 total=0\nfull avg10=0.00 avg60=0 avg300=0 total=0\n")
    assert memory_pressure(v2.root) == 1.5
    v2.write("/sys/fs/cgroup/user.slice/app.scope/memory.pressure", "some avg10=42.10 avg60=0.00 avg300=0.00 total=0\n")
    assert memory_pressure(v2.root) == 42.1
