"""The loader answers any input with a spec or with SpecError, never with anything else."""

import contextlib
import dataclasses

from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML
from ruamel.yaml.compat import StringIO

from quarterdeck.core.size import format_size, parse_size
from quarterdeck.errors import SpecError, UsageError
from quarterdeck.machine.flags import Flags, override
from quarterdeck.machine.load import load_spec, spec_from_json, spec_to_json
from quarterdeck.machine.ports import parse_port
from quarterdeck.machine.spec import DiskSpec, DisplaySpec, MachineSpec, NetworkSpec, ProvisionSpec, ShareSpec, UsbSpec, ViewerSpec

NAMES = sorted(
    {
        field.name
        for kind in (MachineSpec, DiskSpec, NetworkSpec, DisplaySpec, UsbSpec, ShareSpec, ProvisionSpec, ViewerSpec)
        for field in dataclasses.fields(kind)
    }
)
WORDS = st.sampled_from(["debian", "half", "max", "uefi", "nvme", "passt", "20G", "80:80", "/a", "none", "", "é", "52:54:00:00:00:01"])
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | WORDS
FIELDS = st.sampled_from(NAMES) | st.text(max_size=8)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(FIELDS, inner, max_size=5), max_leaves=15)
LINES = st.lists(
    st.sampled_from(
        [
            "a: &x [*x]",
            "- ",
            "{",
            "}: ",
            "[",
            "&a ",
            "*a",
            "!!int ",
            "<<: ",
            "boot: ",
            "|\n",
            "? ",
            "'",
            '"',
            "%YAML 1.1\n---\n",
            "\t",
            "\n",
        ]
    )
)


def load(text: str | bytes) -> MachineSpec | None:
    try:
        return load_spec(text, "fuzz")
    except SpecError as error:
        problems = error.problems
    assert problems
    assert all(problem.message and "pydantic" not in problem.message for problem in problems)
    return None


@settings(deadline=None, max_examples=300)
@given(st.text(max_size=200))
def test_any_text(text: str) -> None:
    load(text)


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=200))
def test_any_bytes(text: bytes) -> None:
    load(text)


@settings(deadline=None, max_examples=400)
@given(LINES.map("".join))
def test_pieces_of_yaml(text: str) -> None:
    load(text)


@settings(deadline=None, max_examples=300)
@given(st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=8))
def test_any_structure(data: dict[str, object]) -> None:
    stream = StringIO()
    with contextlib.suppress(UnicodeEncodeError):
        YAML(typ="safe", pure=True).dump(data, stream)
    spec = load(stream.getvalue())
    if spec is not None:
        assert spec_from_json(spec_to_json(spec)) == spec


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=200) | st.binary(max_size=100))
def test_any_stored_spec(text: str | bytes) -> None:
    with contextlib.suppress(SpecError):
        spec_from_json(text)


FLAG = st.none() | st.text(max_size=12) | WORDS


@settings(deadline=None, max_examples=200)
@given(FLAG, FLAG, FLAG, FLAG, FLAG, st.lists(st.text(max_size=12) | WORDS, max_size=3))
def test_any_flags(one: str | None, two: str | None, three: str | None, four: str | None, five: str | None, many: list[str]) -> None:
    flags = Flags(name=one, cpus=two, memory=three, network=four, viewer=five, disk=two, arch=one, ports=tuple(many), ssh_keys=tuple(many))
    with contextlib.suppress(SpecError):
        override(MachineSpec(boot="debian"), flags)


@settings(deadline=None)
@given(st.text(max_size=30))
def test_any_port_forward(text: str) -> None:
    with contextlib.suppress(UsageError):
        parse_port(text)


@settings(deadline=None)
@given(st.integers(0, 1 << 59))
def test_sizes_read_back(size: int) -> None:
    assert parse_size(str(size)) == size
    for unit, factor in (("K", 1 << 10), ("MiB", 1 << 20), ("gb", 1 << 30)):
        assert parse_size(f"{size % 1000} {unit}") == (size % 1000) * factor


@settings(deadline=None)
@given(st.integers(1, 1023), st.integers(0, 5))
def test_whole_sizes_are_shown_as_they_are_read(count: int, power: int) -> None:
    assert parse_size(format_size(count << (10 * power))) == count << (10 * power)
