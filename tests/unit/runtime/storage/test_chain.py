import json

import pytest

from quarterdeck.errors import MediaError, UsageError
from quarterdeck.runtime.storage import chain
from quarterdeck.runtime.storage.chain import Backup, SavedDisk

IDS = ("20260101-000000-aaaaaa", "20260102-000000-bbbbbb", "20260103-000000-cccccc")


def put(folder, number, parent=None, content=b"data", name="disk0.qcow2", created=None):
    """Write a backup of one disk; it is incremental when it has a parent."""
    place = folder / number
    place.mkdir()
    (place / "disk0.qcow2").write_bytes(content)
    disk = SavedDisk(index=0, file=name, virtual_size=512, incremental=parent is not None)
    backup = Backup(
        id=number,
        machine="m",
        created=created or IDS.index(number) + 1.0,
        parent=parent,
        consistency="agent",
        disks=(disk,),
        left_out=(),
        files={name: (len(content), chain.sha256(place / "disk0.qcow2"))},
        spec={},
        assets={},
        secrets={"password": "geheim"},
    )
    chain.write(place, backup)
    return backup


@pytest.fixture(name="three")
def _three(tmp_path):
    for number, parent in zip(IDS, (None, *IDS), strict=False):
        put(tmp_path, number, parent)
    return tmp_path


def test_whole_chain_has_no_flaws_and_the_newest_goes_back_to_the_full_one(three):
    known = chain.load_all(three)
    assert list(chain.flaws(three)) == []
    assert [one.id for one, _ in chain.lineage(known, known[2], known[2].disks[0])] == list(reversed(IDS))
    assert [one.kind for one in known] == ["full", "incremental", "incremental"]


def test_secrets_of_the_machine_are_not_shown(three):
    assert "geheim" not in json.dumps([one.to_json() for one in chain.load_all(three)])


@pytest.mark.parametrize("content", [b"dat", b"dato", b"datadata", b""])
def test_damaged_file_is_named(three, content):
    (three / IDS[1] / "disk0.qcow2").write_bytes(content)
    (flaw,) = chain.flaws(three)
    assert flaw.backup == IDS[1]
    assert "disk0.qcow2" in flaw.text


def test_missing_file_and_missing_link_are_named(three):
    (three / IDS[0] / "disk0.qcow2").unlink()
    (three / IDS[1] / "backup.json").unlink()
    texts = {(flaw.backup, flaw.text) for flaw in chain.flaws(three)}
    assert (IDS[0], "disk0.qcow2: No such file or directory") in texts
    assert any(backup == IDS[2] and IDS[1] in text and "missing" in text for backup, text in texts)


def test_every_changed_byte_of_a_manifest_is_noticed(three):
    path = three / IDS[0] / "backup.json"
    whole = path.read_bytes()
    for at in range(0, len(whole), 7):
        if whole[at : at + 1].isspace():
            continue
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises(MediaError):
            chain.load_all(three)


@pytest.mark.parametrize("name", ["../disk0.qcow2", "/etc/passwd", "a/../../b", ".hidden", "a/b/c"])
def test_manifest_that_names_files_elsewhere_is_refused(tmp_path, name):
    put(tmp_path, IDS[0], name=name)
    with pytest.raises(MediaError) as caught:
        chain.load_all(tmp_path)
    assert "cannot have" in caught.value.reason


def test_backups_that_stand_on_each_other_are_no_endless_chain(tmp_path):
    put(tmp_path, IDS[0], IDS[1])
    put(tmp_path, IDS[1], IDS[0])
    assert {flaw.backup for flaw in chain.flaws(tmp_path)} == {IDS[0], IDS[1]}


def test_unfinished_backups_and_other_files_are_passed_over(three):
    (three / ".partial-20260104-000000-dddddd").mkdir()
    (three / "20260104-000000-dddddd").mkdir()
    (three / "notes.txt").write_text("x")
    assert len(chain.load_all(three)) == 3


def test_missing_folder_is_an_error_of_use(tmp_path):
    with pytest.raises(UsageError):
        chain.load_all(tmp_path / "none")


def test_backups_of_the_same_second_are_in_the_order_in_which_they_were_made(tmp_path):
    put(tmp_path, "20260101-000000-ffffff", created=1.0)
    put(tmp_path, "20260101-000000-000000", created=2.0)
    assert [one.id[-6:] for one in chain.load_all(tmp_path)] == ["ffffff", "000000"]
