"""What can be made anew, and what cannot."""

import pytest

from quarterdeck.cli.output import Progress
from quarterdeck.cli.refresh import refresh
from quarterdeck.errors import UsageError
from quarterdeck.machine.spec import MachineSpec


@pytest.mark.parametrize("boot", [None, "./disk.qcow2", "debian.iso", "/images/debian"])
def test_a_file_of_this_host_is_not_made_anew(boot: str | None):
    with pytest.raises(UsageError) as caught:
        refresh(MachineSpec(boot=boot), Progress.PLAIN)
    assert caught.value.key == "nothing-to-refresh"
