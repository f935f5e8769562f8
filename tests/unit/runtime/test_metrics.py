import os

from quarterdeck.core.handle import ProcessHandle
from quarterdeck.runtime.metrics import Counters, process_usage, rates


def test_rates_are_per_second():
    before = Counters(time=10.0, cpu=1.0, memory=100, disk_read=0, disk_written=10, received=0, sent=5)
    now = Counters(time=12.0, cpu=4.0, memory=200, disk_read=100, disk_written=20, received=1000, sent=5)
    assert rates(before, now) == {
        "time": 12.0, "cpu": 150.0, "memory": 200, "disk_read": 50, "disk_write": 5, "net_rx": 500, "net_tx": 0,
    }  # fmt: skip


def test_what_nobody_counts_is_null():
    before = Counters(time=1.0, cpu=0, memory=0, disk_read=None, disk_written=1, received=None, sent=None)
    now = Counters(time=2.0, cpu=0, memory=0, disk_read=1, disk_written=None, received=None, sent=3)
    sample = rates(before, now)
    assert [sample[key] for key in ("disk_read", "disk_write", "net_rx", "net_tx")] == [None] * 4


def test_counters_and_clocks_that_go_back_give_no_negative_rates():
    before = Counters(time=5.0, cpu=9.0, memory=0, disk_read=9, disk_written=9, received=9, sent=9)
    now = Counters(time=4.0, cpu=1.0, memory=0, disk_read=1, disk_written=1, received=1, sent=1)
    assert all(value >= 0 for value in rates(before, now).values())


def test_usage_of_a_living_process_is_read():
    handle = ProcessHandle.find(os.getpid())
    assert handle is not None
    usage = process_usage(handle)
    assert usage is not None
    assert usage[0] > 0
    assert usage[1] > 1 << 20


def test_usage_of_a_process_that_is_gone_is_none():
    assert process_usage(ProcessHandle(2**22 - 1, 1)) is None
