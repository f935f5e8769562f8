from pathlib import Path

import pytest

from quarterdeck.core.report import silent
from quarterdeck.errors import HostError
from quarterdeck.machine.layout import MachineLayout
from quarterdeck.media.disk.workplace import Workplace
from quarterdeck.media.export.export import find_form
from quarterdeck.runtime.exporting import room
from quarterdeck.runtime.exporting.room import Need, place_for_copy

MIB = 1 << 20


class Subject:
    def __init__(self, root: Path) -> None:
        self.layout = MachineLayout(root)


@pytest.fixture(name="place")
def _place(tmp_path, monkeypatch):
    """A function that chooses where to copy; ``beside`` and ``home`` are the bytes that are free at the target and with the machine."""
    home, work = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    work.mkdir()

    def choose(need: Need, *, beside: int, home_room: int, apart: bool = True) -> Path:
        free = {work: beside}
        monkeypatch.setattr(Workplace, "room", lambda self: free.get(self.folder, home_room))
        monkeypatch.setattr(room, "_apart", lambda one, other: apart)
        with place_for_copy(need, Workplace(work, None), Subject(home), silent) as chosen:  # type: ignore[arg-type]
            assert chosen.folder.is_dir()
            found = chosen.folder
        assert found == work or not found.exists()
        return found.parent if found != work else found

    choose.home, choose.work = home, work  # type: ignore[attr-defined]
    return choose


def test_copy_lies_beside_the_target_where_both_fit(place):
    assert place(Need(4 * MIB, 4 * MIB, 4 * MIB), beside=8 * MIB, home_room=0) == place.work


def test_copy_lies_with_the_machine_where_only_the_result_fits_beside(place):
    assert place(Need(4 * MIB, 4 * MIB, 4 * MIB), beside=7 * MIB, home_room=4 * MIB) == place.home


@pytest.mark.parametrize(
    ("beside", "home_room", "apart", "full"),
    [(7, 3, True, "home"), (3, 9, True, "beside"), (7, 7, False, "beside")],
)
def test_what_fits_nowhere_is_refused_before(place, beside, home_room, apart, full):
    with pytest.raises(HostError) as caught:
        place(Need(4 * MIB, 4 * MIB, 4 * MIB), beside=beside * MIB, home_room=home_room * MIB, apart=apart)
    assert caught.value.key == "disk-full"
    assert (str(place.home) in caught.value.message) == (full == "home")
    assert list(place.home.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("a.qcow2", {}, (10, 0)),
        ("a.raw", {}, (10, 10)),
        ("a.raw", {"preallocation": "full"}, (50, 50)),
        ("a.vmdk", {"compress": True}, (0, 0)),
        ("a.ova", {}, (0, 0)),
    ],
)
def test_what_is_made_of_a_copy_takes_room_too(name, options, expected):
    form = find_form(None, Path(name), **{"compress": False, **options})
    assert room._results(form, 10, 50) == expected


def test_a_container_image_takes_a_disk_and_an_archive():
    assert room._results(find_form("containerdisk", Path("a"), compress=False), 10, 50) == (20, 10)
