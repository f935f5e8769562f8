from pathlib import Path

import pytest

from quarterdeck.machine.layout import MachineLayout
from quarterdeck.runtime.network import journal
from quarterdeck.runtime.network.journal import Made


def test_what_was_written_is_read_until_it_is_cleared(tmp_path: Path) -> None:
    layout, made = MachineLayout(tmp_path), Made("quarterdeck_x", ("qd0-0",), ("/proc/sys/net/ipv4/ip_forward",))
    journal.write(layout, made)
    assert journal.read(layout) == made
    journal.clear(layout)
    assert journal.read(layout) is None


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"table": "x", "links": 3, "switches": []}'])
def test_a_damaged_journal_is_none(tmp_path: Path, text: str) -> None:
    layout = MachineLayout(tmp_path)
    layout.network_journal.write_text(text)
    assert journal.read(layout) is None
