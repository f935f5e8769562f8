from quarterdeck.core.report import silent
from quarterdeck.machine.layout import MachineLayout
from quarterdeck.runtime.storage.service import Storage


async def test_a_machine_that_was_never_started_has_no_disks_yet(tmp_path):
    assert await Storage(MachineLayout(tmp_path / "new"), silent).disks(private=True) == []
