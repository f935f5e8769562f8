import pytest

from quarterdeck.errors import MediaError, UsageError
from quarterdeck.machine.layout import MachineLayout
from quarterdeck.runtime.storage import journal


@pytest.fixture(name="layout")
def _layout(tmp_path):
    return MachineLayout(tmp_path)


def test_entry_stays_until_it_is_cleared(layout):
    assert journal.read(layout) is None
    journal.write(layout, "backup", id="x")
    assert journal.read(layout) == {"operation": "backup", "id": "x"}
    journal.clear(layout)
    journal.clear(layout)
    assert journal.read(layout) is None


def test_unfinished_operation_is_not_overwritten_by_another(layout):
    journal.write(layout, "backup", id="x")
    with pytest.raises(UsageError) as caught:
        journal.write(layout, "grow")
    assert caught.value.key == "storage-unfinished"


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"a": 1}', b'{"operation": 5}', b"\xff"])
def test_damaged_journal_is_an_error_that_names_it(layout, content):
    layout.storage_journal.write_bytes(content)
    with pytest.raises(MediaError) as caught:
        journal.read(layout)
    assert "storage.json" in caught.value.message
