from pathlib import Path

import pytest

from quarterdeck.machine.layout import MachineLayout
from quarterdeck.runtime.network import journal
from quarterdeck.runtime.network.journal import Made
from quarterdeck.runtime.network.setup import tear_down_now


def test_what_was_written_is_read_until_it_is_cleared(tmp_path: Path) -> None:
    layout, made = MachineLayout(tmp_path), Made(journal.namespace(), "quarterdeck_x", ("qd0-0",), ("/proc/sys/net/ipv4/ip_forward",))
    journal.write(layout, made)
    assert journal.read(layout) == made
    journal.clear(layout)
    assert journal.read(layout) is None


def test_what_is_of_another_namespace_is_gone_with_it(tmp_path: Path) -> None:
    """It must not be looked for here: the switches of this namespace are none of ours."""
    switch = tmp_path / "switch"
    switch.write_text("1")
    layout = MachineLayout(tmp_path)
    journal.write(layout, Made("another boot 4026531840", "", (), (str(switch),)))
    tear_down_now(layout)
    assert (switch.read_text(), journal.read(layout)) == ("1", None)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"namespace": "x", "table": "x", "links": 3, "switches": []}'])
def test_a_damaged_journal_is_none(tmp_path: Path, text: str) -> None:
    layout = MachineLayout(tmp_path)
    layout.network_journal.write_text(text)
    assert journal.read(layout) is None
