"""Directives that write reference pages from the code, so that the pages cannot fall behind it.

``spec-fields`` prints every field of a machine spec, ``arch-table`` the architecture table, ``commands`` the
command line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import typer
import typer.main
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from quarterdeck.cli.app import app as command_line
from quarterdeck.core.arch import ARCHES, Arch, Bus
from quarterdeck.core.size import format_size
from quarterdeck.machine.load import json_schema

_SIZE = 1 << 20
_TYPES = {"integer": "number", "string": "text", "boolean": "true or false"}


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    """Yield the lines of a Markdown table."""
    columns = list(head)
    yield f"| {' | '.join(columns)} |"
    yield f"|{'---|' * len(columns)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|').replace(chr(10), ' ') for cell in row)} |"
    yield ""


def _code(value: object) -> str:
    return f"`{value}`" if value not in ("", None) else ""


def _yaml(value: Any) -> str:
    """Return a default as one would write it in a spec; those of objects and lists stand with their own fields."""
    match value:
        case None | dict() | list():
            return ""
        case bool():
            return _code(str(value).lower())
        case int() if value >= _SIZE:
            return _code(format_size(value).replace(" ", "").removesuffix("iB"))
    return _code(value)


def _resolve(schema: dict[str, Any], definitions: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the name of the definition that ``schema`` refers to, if any, and the schema itself."""
    name = schema.get("$ref", "").rpartition("/")[2]
    return (name, definitions[name]) if name else ("", schema)


def _type(schema: dict[str, Any], definitions: dict[str, Any]) -> str:
    """Say in a few words what a field may hold."""
    name, schema = _resolve(schema, definitions)
    if "properties" in schema:
        return f"[{_label(name)}](#{_label(name)})"
    if "enum" in schema:
        return ", ".join(_code(value) for value in schema["enum"])
    if "const" in schema:
        return _code(schema["const"])
    if schema.get("description", "").startswith("bytes, or a size"):
        return "size"
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_type(one, definitions) for one in schema["anyOf"] if one.get("type") != "null"))
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {'type': 'string'}), definitions)}"
    return _bounded(schema)


def _label(name: str) -> str:
    """Return the name of a kind of object for people: ``disk`` for ``DiskSpec``."""
    return name.removesuffix("Spec").lower()


def _bounded(schema: dict[str, Any]) -> str:
    words = _TYPES.get(schema.get("type", ""), "text")
    low, high = schema.get("minimum"), schema.get("maximum")
    return f"{words} {low} to {high}" if low is not None and high is not None else words


def _fields(schema: dict[str, Any], definitions: dict[str, Any]) -> Iterator[str]:
    required = schema.get("required", [])
    rows = (
        (
            _code(name),
            _type(field, definitions),
            "required" if name in required else _yaml(field.get("default")),
            field.get("description", _resolve(field, definitions)[1].get("description", "")),
        )
        for name, field in schema["properties"].items()
    )
    yield from _table(("field", "what it holds", "default", "meaning"), rows)


def spec_fields() -> Iterator[str]:
    """Yield a section for each kind of object in a spec."""
    schema = json_schema()
    definitions = schema.get("$defs", {})
    if "$ref" in schema:
        _, schema = _resolve(schema, definitions)
    yield from ("## The machine", "")
    yield from _fields(schema, definitions)
    for name, definition in definitions.items():
        if "properties" in definition and definition is not schema:
            yield from (f"## {_label(name)}", "", definition.get("description", ""), "")
            yield from _fields(definition, definitions)


def _system_row(arch: Arch) -> tuple[str, ...]:
    firmware = ", ".join(dict.fromkeys(file.kind.value for file in arch.firmware))
    return (
        f"**{arch.name}**",
        ", ".join(map(_code, arch.aliases)),
        _code(arch.oci),
        _code(arch.debian),
        _code(f"qemu-system-{arch.system}"),
        _code(arch.machine),
        _code(arch.tcg_cpu),
        firmware or "QEMU's own",
        {Bus.PCI: "PCI", Bus.CCW: "CCW", Bus.MMIO: "MMIO"}[arch.bus],
        _code(arch.serial_console),
    )


def _user_row(arch: Arch) -> tuple[str, ...]:
    header = arch.elf
    return (f"**{arch.name}**", _code(f"qemu-{arch.user}"), str(header.bits), "little" if header.little else "big", str(header.machine))


def arch_table() -> Iterator[str]:
    """Yield the architecture table in two parts: systems, and programs."""
    yield from ("## Systems", "")
    head = (
        "architecture",
        "other names",
        "OCI",
        "Debian",
        "emulator",
        "machine",
        "CPU without KVM",
        "firmware",
        "bus",
        "first serial port",
    )
    yield from _table(head, map(_system_row, (arch for arch in ARCHES if arch.system)))
    yield from ("## Programs", "")
    yield from _table(
        ("architecture", "emulator", "bits", "byte order", "ELF machine"), map(_user_row, (arch for arch in ARCHES if arch.user))
    )


def _parameters(command: Any) -> Iterator[tuple[str, str]]:
    context = typer.Context(command)
    for parameter in command.params:
        words, meaning = parameter.get_help_record(context) or ("", "")
        yield _code(words), meaning


def commands() -> Iterator[str]:
    """Yield a section for each command with its words and options."""
    yield from _commands("qd", typer.main.get_command(command_line))


def _commands(prefix: str, group: Any) -> Iterator[str]:
    for name, command in group.commands.items():
        words = f"{prefix} {name}"
        yield from (f"## {words}", "", command.help or "", "")
        if hasattr(command, "commands"):
            yield from _commands(words, command)
        elif command.params:
            yield from _table(("argument or option", "meaning"), _parameters(command))


class _Generated(SphinxDirective):
    """A directive without content that prints what a function yields."""

    lines: Callable[[], Iterator[str]]

    def run(self) -> list[nodes.Node]:
        """Parse the lines as Markdown in place."""
        return self.parse_text_to_nodes("\n".join(type(self).lines()), allow_section_headings=True)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directives."""
    for name, function in (("spec-fields", spec_fields), ("arch-table", arch_table), ("commands", commands)):
        app.add_directive(name, type(f"{function.__name__}_directive", (_Generated,), {"lines": staticmethod(function)}))
    return {"version": "1", "parallel_read_safe": True}
