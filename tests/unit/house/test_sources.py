"""The sources as a whole: what they import, how large they grow."""

import ast
import fnmatch
import importlib
import json
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
# What a distribution is called and what it is imported as, where the two differ.
IMPORT_NAMES = {"ruamel.yaml": "ruamel", "qemu.qmp": "qemu", "backports.zstd": "backports", "zlib-ng": "zlib_ng"}
# Modules of Python that are imported only where they are.
SINCE_3_14 = {"compression"}
LONGEST_FILE = 400
LONGEST_FUNCTION = 60


def module_name(path: Path) -> str:
    words = path.relative_to(ROOT / "src").with_suffix("").parts
    return ".".join(words[:-1] if words[-1] == "__init__" else words)


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.partition(".")[0]


def declared() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = (word.partition(">=")[0] for word in project["dependencies"])
    # pydantic-core is half of pydantic, which demands one exact version of it.
    return {IMPORT_NAMES.get(name, name) for name in names} | {"pydantic_core"}


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_a_module_imports_only_what_pyproject_declares(path: Path) -> None:
    foreign = set(imported(path)) - set(sys.stdlib_module_names) - SINCE_3_14 - {"quarterdeck"}
    assert foreign <= declared()


@pytest.mark.parametrize("path", [path for path in SOURCES if path.name != "__main__.py"], ids=module_name)
def test_a_module_can_be_imported(path: Path) -> None:
    importlib.import_module(module_name(path))


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_a_file_holds_one_idea(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= LONGEST_FILE
    functions = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    # A command's signature lists its options, a line each; that is a table and no code.
    lengths = {node.name: (node.end_lineno or node.lineno) - node.body[0].lineno + 1 for node in functions}
    assert {name: length for name, length in lengths.items() if length > LONGEST_FUNCTION} == {}


def test_the_lock_file_of_the_front_end_names_no_host() -> None:
    packages = json.loads((ROOT / "frontend" / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    assert {name for name, package in packages.items() if "resolved" in package} == set()


def test_pytest_looks_into_every_folder_of_tests() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["pytest"]
    settings = settings.get("ini_options", settings)
    folders = {part for path in (ROOT / "tests").rglob("test_*.py") for part in path.relative_to(ROOT).parts[:-1]}
    passed_over = {folder for folder in folders for pattern in settings["norecursedirs"] if fnmatch.fnmatch(folder, pattern)}
    assert passed_over == set()
