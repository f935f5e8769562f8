import pytest

from quarterdeck.runtime.storage import layers


@pytest.fixture(name="home")
def _home(tmp_path):
    (tmp_path / "machines" / "a").mkdir(parents=True)
    return tmp_path


def make(home):
    with layers.making(home / "layers") as fresh:
        (fresh / "disk0.qcow2").write_bytes(b"x")
        layers.publish(fresh)
        return layers.final(fresh)


def test_layer_that_no_machine_names_is_removed_and_others_stay(home):
    kept, doomed = make(home), make(home)
    (home / "machines" / "a" / "assets.json").write_text(f'{{"path": "{kept}/disk0.qcow2"}}')
    assert layers.sweep(home / "layers", home / "machines") == [doomed.name]
    assert (kept / "disk0.qcow2").read_bytes() == b"x"
    assert (kept / "disk0.qcow2").stat().st_mode & 0o777 == 0o400
    assert layers.users(kept.name, home / "machines") == ["a"]


def test_nothing_is_removed_while_somebody_makes_a_layer(home):
    doomed = make(home)
    with layers.making(home / "layers"):
        assert layers.sweep(home / "layers", home / "machines") == []
    assert layers.sweep(home / "layers", home / "machines") == [doomed.name]


def test_what_a_killed_process_left_is_removed(home):
    (home / "layers" / ".new-dead").mkdir(parents=True)
    assert layers.sweep(home / "layers", home / "machines") == [".new-dead"]


def test_layer_that_a_journal_names_is_kept(home):
    kept = make(home)
    (home / "machines" / "a" / "storage.json").write_text(f'{{"layer": "{kept}"}}')
    assert layers.sweep(home / "layers", home / "machines") == []
