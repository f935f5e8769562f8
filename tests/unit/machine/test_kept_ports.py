from types import SimpleNamespace
from typing import Any

import pytest

from quarterdeck.machine.resolve.network_ports import kept_ports
from quarterdeck.machine.resolved import KeptPorts
from quarterdeck.machine.spec import DisplayKind, DisplaySpec, MachineSpec, ViewerSpec

SPICE = DisplaySpec(kind=DisplayKind.SPICE, spice_port=5930)


@pytest.mark.parametrize(
    ("spec", "keep", "kept"),
    [
        (MachineSpec(), (), [8006]),
        (MachineSpec(display=SPICE, viewer=ViewerSpec(port=9000)), (), [9000, 5930]),
        (MachineSpec(display=SPICE, viewer=ViewerSpec(enabled=False)), (), [5930]),
        (MachineSpec(display=SPICE), (KeptPorts(5000, 1001, "tcp"),), [5000, 8006]),
        (MachineSpec(display=SPICE), (KeptPorts(5000, 1001, "udp"),), [5000, 8006, 5930]),
    ],
)
def test_the_ports_of_viewer_and_spice_do_not_lead_to_the_guest(spec, keep, kept):
    ctx: Any = SimpleNamespace(spec=spec)
    assert [entry.first for entry in kept_ports(ctx, keep)] == kept
