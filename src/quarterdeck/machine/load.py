"""The ways a spec comes in and goes out: YAML from people, JSON for ourselves, and its JSON Schema."""

from __future__ import annotations

import inspect
from typing import Any

from pydantic import ValidationError

from quarterdeck.core.place import place
from quarterdeck.core.yamltext import Document, read_yaml
from quarterdeck.errors import Problem, SpecError
from quarterdeck.machine.check import check
from quarterdeck.machine.spec import MachineSpec
from quarterdeck.machine.validate import Finding, adapter, validate

SCHEMA_ID = "urn:quarterdeck:machine-spec:1"


def load_spec(text: str | bytes, source: str) -> MachineSpec:
    """Return the spec that a YAML (or JSON) text describes.

    Args:
        text: the whole file; bytes must be UTF-8.
        source: what to call it in errors, such as its path.

    Raises:
        SpecError: with all problems found, each with its line.
    """
    document = _read(text)
    if document.complete and not isinstance(document.data, dict):
        document.problem((), "a spec is a mapping of fields, such as 'boot: debian'")
    if not document.complete:
        raise SpecError(source, _in_order(document.problems))
    return _build(document, source)


def _read(text: str | bytes) -> Document:
    try:
        return read_yaml(text if isinstance(text, str) else text.decode())
    except UnicodeDecodeError as error:
        assert isinstance(text, bytes)
        line = text.count(b"\n", 0, error.start) + 1
        return Document(problems=[Problem("", "is not UTF-8 text", line)], complete=False)


def _build(document: Document, source: str) -> MachineSpec:
    result = validate(document.data)
    findings = check(result) if isinstance(result, MachineSpec) else result
    problems = document.problems + [_problem(finding, document) for finding in findings]
    if problems or isinstance(result, list):
        raise SpecError(source, _in_order(problems))
    return result


def _problem(finding: Finding, document: Document) -> Problem:
    return Problem(place(finding.loc), finding.message, document.line(finding.loc), finding.hint)


def _in_order(problems: list[Problem]) -> list[Problem]:
    return sorted(problems, key=lambda problem: problem.line or 0)


def spec_to_json(spec: MachineSpec) -> str:
    """Return ``spec`` as the JSON text that ``spec.json`` holds; fields at their default are left out."""
    return adapter().dump_json(spec, indent=2, exclude_defaults=True).decode() + "\n"


def spec_from_json(text: str | bytes) -> MachineSpec:
    """Return the spec that :func:`spec_to_json` wrote.

    Raises:
        SpecError: the text was damaged or written by a newer version.
    """
    try:
        return adapter().validate_json(text)
    except ValidationError as error:
        problems = [Problem(place(item["loc"]), item["msg"]) for item in error.errors(include_url=False)]
        raise SpecError("the stored spec", problems) from None


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a spec, with the descriptions that the fields have in the source."""
    schema = adapter().json_schema()
    definitions = schema.get("$defs", {})
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        **schema,
        "title": "Quarterdeck machine",
        "description": inspect.cleandoc(MachineSpec.__doc__ or ""),
        "$defs": definitions,
    }
