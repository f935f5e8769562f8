"""``qd schema``: the fields of a spec file, for editors."""

from __future__ import annotations

from quarterdeck.cli.output import print_json


def schema() -> None:
    """Print the JSON Schema of a machine spec.

    Editors that speak the YAML language server complete and check specs with it:
    `qd schema > machine.schema.json`, then begin the spec with
    `# yaml-language-server: $schema=machine.schema.json`.
    """
    from quarterdeck.machine.load import json_schema

    print_json(json_schema())
