"""The command of every spec is what the file says."""

import dataclasses
import typing
from typing import Any

import pytest
from ruamel.yaml import YAML

from quarterdeck.machine.compose import compose
from quarterdeck.machine.explain import shell_lines
from quarterdeck.machine.resolve import resolve
from quarterdeck.machine.resolved import QemuCommand, ResolvedMachine
from quarterdeck.machine.spec import Aio, Cache, DiskBus, DisplayKind, Firmware, MachineSpec, NetworkMode, ShareKind

from .world import HERE, SPECS, assets, facts, layout, load


def rendered(machine: ResolvedMachine, command: QemuCommand) -> str:
    """Return the whole result as text that reads well in a difference."""
    lines = [f"{choice.what}: {choice.value} ({choice.why})" for choice in machine.choices]
    for sidecar in command.sidecars:
        lines += ["", f"{sidecar.name}, ready when {sidecar.socket} is there:", shell_lines(sidecar.argv)]
    lines += ["", shell_lines(command.argv)]
    lines += ["", *(f"set {item.number}: {item.path} {'read-write' if item.writable else 'read-only'}" for item in command.descriptors)]
    lines += [f"{role}: {path}" for role, path in command.sockets]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("name", SPECS)
def test_the_command_is_the_expected_one(name: str, request: pytest.FixtureRequest) -> None:
    spec = load(name)
    machine = resolve(spec, facts(name, spec), assets(spec), layout(name))
    text = rendered(machine, compose(machine))
    path = HERE / "expected" / f"{name}.txt"
    if request.config.getoption("--regenerate-golden", default=False):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8"), "run 'pytest tests/golden --regenerate-golden' and read the difference"


def test_every_expected_command_has_a_spec() -> None:
    assert {path.stem for path in (HERE / "expected").iterdir()} == set(SPECS)


def declared(kind: Any, prefix: str = "") -> set[str]:
    """Return every field of the spec, as ``disks.size``."""
    names: set[str] = set()
    for name, hint in typing.get_type_hints(kind).items():
        if name.startswith("__"):
            continue
        inner = [item for item in (hint, *typing.get_args(hint)) if dataclasses.is_dataclass(item)]
        names |= declared(inner[0], f"{prefix}{name}.") if inner else {f"{prefix}{name}"}
    return names


def used(data: Any, prefix: str = "") -> set[str]:
    """Return every field that the plain data of a spec sets."""
    if isinstance(data, list):
        return {name for item in data for name in used(item, prefix)} or {prefix}
    if isinstance(data, dict):
        return {found for name, item in data.items() for found in used(item, f"{prefix}.{name}" if prefix else name)}
    return {prefix}


def test_every_field_of_a_spec_is_used_by_a_golden_spec() -> None:
    yaml = YAML(typ="safe", pure=True)
    found = {name for path in SPECS.values() for name in used(yaml.load(path.read_text(encoding="utf-8")))}
    assert declared(MachineSpec) - found == set()


def test_every_choice_of_a_closed_set_is_used_by_a_golden_spec() -> None:
    specs = [load(name) for name in SPECS]
    disks = [disk for spec in specs for disk in spec.disks]
    assert {disk.bus for disk in disks} >= set(DiskBus)
    assert {disk.cache for disk in disks} == set(Cache)
    assert {disk.aio for disk in disks} == set(Aio)
    assert {network.mode for spec in specs for network in spec.networks} == set(NetworkMode)
    assert {spec.display.kind for spec in specs} == set(DisplayKind)
    assert {spec.firmware for spec in specs} == set(Firmware)
    assert {share.kind for spec in specs for share in spec.shares} == set(ShareKind)
