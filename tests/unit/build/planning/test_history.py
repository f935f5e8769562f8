import stat
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quarterdeck.build.nodes.model import Runs
from quarterdeck.build.planning import history
from quarterdeck.build.planning.estimate import estimate
from quarterdeck.build.planning.history import History, Sample, load, record
from quarterdeck.build.planning.model import Mode
from quarterdeck.build.planning.work import Work


def sample(key="k", seconds=1.0, runs=Runs.EMULATED, time=0.0):
    return Sample(key, runs, seconds, time)


def test_what_is_recorded_is_found_by_key_and_by_how_it_ran(tmp_path):
    file = tmp_path / "builds" / "history.jsonl"
    record([sample(seconds=70.5), sample(seconds=8, runs=Runs.NATIVE)], file)
    record([sample("other", 3)], file)
    known = load(file)
    assert (known.find("k", Runs.EMULATED), known.find("k", Runs.NATIVE), known.find("other", Runs.NATIVE)) == (70.5, 8, None)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_file_stands_in_the_home(tmp_path, monkeypatch):
    monkeypatch.setenv("QUARTERDECK_HOME", str(tmp_path))
    assert load() == History()
    record([])
    assert not (tmp_path / "builds").exists()
    record([sample()])
    assert load().find("k", Runs.EMULATED) == 1.0


def test_median_of_the_last_five_counts():
    known = History.of(sample(seconds=seconds) for seconds in (1000, 1000, 1, 2, 30, 4, 5))
    assert known.find("k", Runs.EMULATED) == 4


@pytest.mark.parametrize("damage", [b"{", b'{"key":"k"}', b"[]", b"\xff\xfe", b'{"key":"k","runs":"fast","seconds":1,"time":1}'])
def test_damaged_lines_count_for_nothing(tmp_path, damage):
    file = tmp_path / "history.jsonl"
    file.write_bytes(sample().to_line() + damage + b"\n" + sample("b").to_line())
    assert set(load(file).seconds) == {("k", Runs.EMULATED), ("b", Runs.EMULATED)}


@pytest.mark.parametrize("seconds", ["1e999", "-1", '"x"', "null", "1e9", "NaN"])
def test_times_that_cannot_be_count_for_nothing(tmp_path, seconds):
    file = tmp_path / "history.jsonl"
    file.write_text(f'{{"key":"k","runs":"native","seconds":{seconds},"time":1}}\n')
    assert load(file) == History()


@given(st.binary(max_size=400))
def test_no_content_makes_it_fail(content):
    History.of(history._samples(content))


def test_unreadable_file_is_no_history(tmp_path):
    assert load(tmp_path) == History()


def test_line_that_a_power_cut_left_unfinished_does_not_spoil_the_next(tmp_path):
    file = tmp_path / "history.jsonl"
    file.write_bytes(sample("a").to_line() + b'{"key":"to')
    record([sample("b")], file)
    assert set(load(file).seconds) == {("a", Runs.EMULATED), ("b", Runs.EMULATED)}


def test_file_is_bounded_and_keeps_the_newest(tmp_path, monkeypatch):
    monkeypatch.setattr(history, "LARGEST", 4000)
    file = tmp_path / "history.jsonl"
    for index in range(200):
        record([sample(f"key{index}")], file)
        assert file.stat().st_size <= 4000
    known = load(file)
    assert known.find("key199", Runs.EMULATED) == 1.0
    assert 10 < len(known.seconds) < 200


def _many(file, name):
    for index in range(40):
        record([sample(f"{name}-{index}")], file)


def test_several_builds_at_the_same_time_lose_nothing(tmp_path):
    file = tmp_path / "history.jsonl"
    builds = [threading.Thread(target=_many, args=(file, name)) for name in "abc"]
    for build in builds:
        build.start()
    for build in builds:
        build.join()
    assert len(load(file).seconds) == 120


def expected(known, mode, *, key="k"):
    return estimate(known, key, mode, work=Work.COMPILE, build_key="build")


def test_step_measured_for_the_build_platform_tells_what_emulation_will_take():
    known = History.of([sample("build", 2, runs=Runs.NATIVE)])
    found = expected(known, Mode.EMULATED)
    assert found is not None
    assert (found.seconds, found.measured) == (18, False)
    assert expected(known, Mode.NATIVE) is None


def test_estimates_are_measured_derived_or_none():
    known = History.of([sample(seconds=10, runs=Runs.NATIVE)])
    native = expected(known, Mode.CROSS)
    emulated = expected(known, Mode.EMULATED)
    assert native is not None
    assert emulated is not None
    assert (native.seconds, native.measured) == (10, True)
    assert (emulated.seconds, emulated.measured) == (90, False)
    back = expected(History.of([sample(seconds=90)]), Mode.NATIVE)
    assert back is not None
    assert back.seconds == 10
    assert expected(known, Mode.NATIVE, key="other") is None
    assert expected(known, Mode.IMPOSSIBLE) is None
