"""YAML as plain data together with the line of each value.

Built on ruamel.yaml's node graph, which keeps the position of everything: YAML 1.2, so ``no`` stays a text. Duplicate keys are problems,
and so are documents that grow without bound through aliases, are nested too deeply, or hold tags that are not plain data.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from quarterdeck.core.place import Loc, place
from quarterdeck.errors import Problem

MAX_BYTES = 2 << 20
MAX_VALUES = 20_000
MAX_DEPTH = 32
_TAG = "tag:yaml.org,2002:"
_MERGE = f"{_TAG}merge"


@dataclass
class Document:
    """What a YAML text holds: plain data, the 1-based line of each place, and what was wrong."""

    data: Any = None
    lines: dict[Loc, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    complete: bool = True
    """False when values had to be left out, so that looking for further problems would mislead."""

    def line(self, loc: Loc) -> int | None:
        """Return the line of ``loc``, or of what surrounds it."""
        while loc and loc not in self.lines:
            loc = loc[:-1]
        return self.lines.get(loc)

    def problem(self, loc: Loc, message: str, *, hint: str = "") -> None:
        """Note that the value at ``loc`` was left out because of ``message``."""
        self.complete = False
        self.problems.append(Problem(place(loc), message, self.line(loc), hint))


def read_yaml(text: str) -> Document:
    """Return the data of ``text``; never raises for what is in it."""
    document = Document()
    if len(text.encode(errors="surrogatepass")) > MAX_BYTES:
        document.problem((), f"is larger than {MAX_BYTES >> 20} MiB")
        return document
    node = _compose(text, document)
    document.complete = not document.problems
    if node is not None and document.complete:
        _Reader(document).read(node)
    return document


def _compose(text: str, document: Document) -> Node | None:
    yaml = YAML(typ="safe", pure=True)
    yaml.composer.warn_double_anchors = False  # YAML allows it, and a warning would go past our reader
    try:
        return yaml.compose(text)  # type: ignore[no-any-return]
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        parts = [part for part in (error.context, error.problem) if part]
        document.problems.append(Problem("", f"not YAML: {', '.join(parts)}", mark.line + 1 if mark else None))
    except YAMLError as error:
        document.problems.append(Problem("", f"not YAML: {_first_line(error)}"))
    except RecursionError:
        document.problems.append(Problem("", "is nested too deeply"))
    except (ValueError, LookupError, TypeError, AttributeError, AssertionError) as error:
        # ruamel.yaml 0.18 raises these for some broken directives and escapes.
        document.problems.append(Problem("", f"not YAML: {_first_line(error)}"))
    return None


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


class _Reader:
    """Turns nodes into data; counts what aliases repeat, so that a small text cannot grow."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._count = 0

    def read(self, node: Node) -> None:
        self._document.data = self._value(node, ())

    def _value(self, node: Node, loc: Loc) -> Any:
        self._document.lines.setdefault(loc, node.start_mark.line + 1)
        self._count += 1
        if self._too_big(loc):
            return None
        if isinstance(node, MappingNode):
            return self._mapping(node, loc)
        if isinstance(node, SequenceNode):
            return [self._value(item, (*loc, index)) for index, item in enumerate(node.value)]
        return self._scalar(node, loc)

    def _too_big(self, loc: Loc) -> bool:
        if self._count > MAX_VALUES:
            if self._count == MAX_VALUES + 1:
                self._document.problem(loc, f"holds more than {MAX_VALUES} values, aliases counted each time")
            return True
        if len(loc) > MAX_DEPTH:
            self._document.problem(loc[:3], "is nested too deeply")
            self._count = MAX_VALUES + 1  # one problem is enough
            return True
        return False

    def _mapping(self, node: MappingNode, loc: Loc) -> dict[str, Any]:
        result: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if _tag(key_node) == _MERGE:
                self._merge(value_node, loc, merged)
            else:
                self._entry(key_node, value_node, loc, into=result)
        return merged | result

    def _entry(self, key_node: Node, value_node: Node, loc: Loc, *, into: dict[str, Any]) -> None:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, ScalarNode) or _tag(key_node) != f"{_TAG}str":
            self._document.problems.append(Problem(place(loc), "a field name must be text", line, "put it in quotes"))
            return
        inner = (*loc, key_node.value)
        if key_node.value in into:
            first = self._document.line(inner)
            self._document.problems.append(Problem(place(inner), f"is given twice, first in line {first}", line))
            return
        self._document.lines[inner] = line
        into[key_node.value] = self._value(value_node, inner)

    def _merge(self, node: Node, loc: Loc, merged: dict[str, Any]) -> None:
        for item in node.value if isinstance(node, SequenceNode) else [node]:
            if isinstance(item, MappingNode) and not self._too_big(loc) and len(loc) < MAX_DEPTH:
                self._count += 1
                merged.update({key: value for key, value in self._mapping(item, loc).items() if key not in merged})
            else:
                self._document.problem((*loc, "<<"), "only mappings can be merged")

    def _scalar(self, node: Node, loc: Loc) -> Any:
        kind, text = _tag(node).removeprefix(_TAG), str(node.value)
        try:
            match kind:
                case "str":
                    return text
                case "null":
                    return None
                case "bool":
                    return text.lower() == "true"
                case "int":
                    return int(text.replace("_", ""), 0)
                case "float":
                    return float(text.replace("_", "").lower().replace(".inf", "inf").replace(".nan", "nan"))
                case _:
                    hint = "put it in quotes" if kind == "timestamp" else ""
                    self._document.problem(loc, f"is a {kind}, which no field takes", hint=hint)
        except ValueError:
            self._document.problem(loc, f"is not a number: '{text[:40]}'", hint="put it in quotes when it is text")
        return None


def _tag(node: Node) -> str:
    return str(node.tag)
