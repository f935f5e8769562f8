"""The documents and the examples say what is true of the code."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer.main

from quarterdeck import errors
from quarterdeck.cli.app import app
from quarterdeck.core.arch import ARCHES
from quarterdeck.machine.load import load_spec
from quarterdeck.runtime.state import State

ROOT = Path(__file__).parents[3]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
EXAMPLES = [path for path in sorted((ROOT / "examples").glob("*.yaml")) if path.name != "compose.yaml"]
COMMANDS: dict[str, Any] = vars(typer.main.get_command(app))["commands"]
COMPOSE = "# compose.yaml\n"
FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(language: str) -> list[tuple[str, str]]:
    found = [(path, text) for path in DOCUMENTS for kind, text in FENCE.findall(path.read_text(encoding="utf-8")) if kind == language]
    return [(path.name, text) for path, text in found]


def commands_in_documents() -> list[tuple[str, str]]:
    lines = [
        (name, line.removeprefix("sudo "))
        for name, text in blocks("sh")
        for line in text.splitlines()
        if line.removeprefix("sudo ").startswith("qd ")
    ]
    return sorted(set(lines))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_a_valid_spec(path: Path) -> None:
    assert load_spec(path.read_text(encoding="utf-8"), path.name).boot


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_says_how_to_use_it(path: Path) -> None:
    assert f"examples/{path.name}" in path.read_text(encoding="utf-8") or "mount -t" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, text in blocks("yaml") if not text.startswith(COMPOSE)])
def test_yaml_in_a_document_is_part_of_a_valid_spec(name: str, text: str) -> None:
    load_spec(text, name)


def test_the_compose_file_of_the_documents_is_the_example() -> None:
    (text,) = (text for _, text in blocks("yaml") if text.startswith(COMPOSE))
    assert text.removeprefix(COMPOSE) in read("examples/compose.yaml")


@pytest.mark.parametrize(("name", "line"), commands_in_documents())
def test_a_command_in_a_document_exists_with_its_options(name: str, line: str) -> None:
    words = shlex.split(line, comments=True)
    words = words[: words.index("--")] if "--" in words else words
    command = COMMANDS[words[1]]
    if hasattr(command, "commands"):
        command = command.commands[words[2]]
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    assert {word for word in words[2:] if re.match(r"--?[a-z]", word)} <= known


def test_the_readme_lists_every_command() -> None:
    table = read("README.md").partition("## Commands")[2].partition("\n## ")[0]
    assert {name for name in COMMANDS if f"`{name}`" not in table and f"`qd {name}" not in table} == set()


def test_every_option_of_run_is_in_the_readme() -> None:
    text = read("README.md")
    shared = [
        option for parameter in COMMANDS["explain"].params for option in parameter.opts if option.startswith("--") and option != "--json"
    ]
    assert {option for option in shared if option not in text} == set()


@pytest.mark.parametrize("name", ["README.md", "docs/reference/exit-codes.md"])
def test_exit_codes_are_documented(name: str) -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.QuarterdeckError)]
    documented = set(re.findall(r"^\| (\d+)", read(name), re.MULTILINE))
    assert {str(kind.exit_code) for kind in kinds} | {"0", "130"} <= documented


def test_states_are_documented() -> None:
    documented = set(re.findall(r"^\| `([a-z-]+)`", read("docs/reference/states.md"), re.MULTILINE))
    assert documented >= {state.value for state in State} - {"unknown"}


def test_environment_variables_are_documented() -> None:
    used: set[tuple[str, str]] = set()
    for path in (ROOT / "src").rglob("*.py"):
        used |= set(re.findall(r"environ(?:\.get\(|\[)\"([A-Z_]+)\"|\"(QUARTERDECK_[A-Z_]+)\"", path.read_text(encoding="utf-8")))
    documented = {
        name
        for line in read("docs/reference/environment.md").splitlines()
        if line.startswith("| `")
        for name in re.findall(r"`([A-Z_]+)`", line.split("|")[1])
    }
    inside = {"PATH", "QUARTERDECK_READY_FD"}
    assert {ours or theirs for theirs, ours in used} - inside <= documented


def test_targets_of_make_in_documents_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE))
    named = {
        word
        for path in DOCUMENTS
        for word in re.findall(r"`make ([a-z-]+)|^make ([a-z-]+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert {first or second for first, second in named} <= targets


def test_links_between_documents_lead_somewhere() -> None:
    link = re.compile(r"\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)")
    links = [(path, target) for path in DOCUMENTS for target in link.findall(path.read_text(encoding="utf-8"))]
    broken = [(path.name, target) for path, target in links if not (path.parent / target).exists()]
    assert broken == []


def test_setup_installs_the_emulators_of_all_architectures_for_tests() -> None:
    rows = [line.split() for line in read("scripts/packages.txt").splitlines() if line and not line.startswith("#")]
    listed = {row[1].lstrip("?") for row in rows if row[0] == "test"}
    assert {arch.package for arch in ARCHES if arch.package} <= listed
