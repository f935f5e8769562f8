"""Every variable, by section: those of images that people come from, and our own."""

from __future__ import annotations

from quarterdeck.machine.environment.table import boot, machine, network, power, screen, storage
from quarterdeck.machine.environment.variable import Variable

SECTIONS: tuple[tuple[str, tuple[Variable, ...]], ...] = (
    ("Image and first boot", boot.VARIABLES),
    ("CPU and memory", machine.PROCESSOR),
    ("Storage", storage.VARIABLES),
    ("Network", network.VARIABLES),
    ("Screen and viewer", screen.VARIABLES),
    ("Machine", machine.SYSTEM),
    ("Memory balloon", machine.BALLOON),
    ("Start, stop and debugging", power.VARIABLES),
)

TABLE: dict[str, Variable] = {variable.name: variable for _, section in SECTIONS for variable in section}
