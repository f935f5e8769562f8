"""What the script answered, and what follows from it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from quarterdeck.binfmt.programs.probe import EXEC_STATUS
from quarterdeck.build.nodes.classify import Findings, with_variants, x86_levels
from quarterdeck.build.nodes.model import EngineFacts, EngineName, Runs
from quarterdeck.build.nodes.probe.script import MARK
from quarterdeck.build.platform import Platform
from quarterdeck.core.arch import Arch, find_arch, runs_natively
from quarterdeck.errors import TargetError, UsageError
from quarterdeck.host.binfmt_misc import Entry, claiming, parse_entry

_VERSION = re.compile(r"\d+(\.\d+)+[\w.+~-]*", re.ASCII)
_MOST_LINES = 20000


@dataclass(frozen=True)
class Ran:
    """How one program ended; ``rooted`` says whether it ran in an empty root folder."""

    status: int
    rooted: bool


@dataclass(frozen=True)
class Survey:
    """A host's answer. ``memory`` is in bytes; ``docker`` is the version of the Docker Engine that answers there."""

    arch: Arch
    release: str = ""
    user: int = -1
    cpus: int = 1
    memory: int = 0
    system: str = ""
    flags: tuple[str, ...] = ()
    programs: Mapping[str, str] = field(default_factory=dict)
    docker: str = ""
    entries: tuple[Entry, ...] = ()
    ran: Mapping[str, Ran] = field(default_factory=dict)

    @property
    def engines(self) -> tuple[EngineFacts, ...]:
        """The engines that can be used there, the best first. A ``docker`` without its Engine is none."""
        found = [EngineFacts(EngineName.DOCKER, self.docker)] if self.docker else []
        others = [EngineFacts(name, self.programs[name]) for name in (EngineName.PODMAN, EngineName.BUILDAH) if name in self.programs]
        return (*found, *others)


def parse_survey(text: str) -> Survey:
    """Return what the lines of an answer say; lines of others are passed over.

    Raises:
        TargetError: the answer is cut short, or is that of no Linux whose architecture we know.
    """
    lines = [line.removeprefix(MARK) for line in text.splitlines()[:_MOST_LINES] if line.startswith(MARK)]
    words: dict[str, list[str]] = {}
    for line in lines:
        key, _, rest = line.partition(" ")
        words.setdefault(key, []).append(rest.strip())
    if "end" not in words:
        raise TargetError("survey-cut-short", "the host did not answer as a shell does", reason=_last(text))
    kernel, machine = _first(words, "kernel"), _first(words, "machine")
    if kernel != "Linux":
        raise TargetError(
            "node-not-linux", f"the host runs {kernel or 'nothing we know'}, not Linux", hint="containers of Linux need a Linux node"
        )
    return Survey(
        arch=_arch(machine),
        release=_first(words, "release"),
        user=_number(_first(words, "user"), -1),
        cpus=max(1, _number(_first(words, "cpus"), 1)),
        memory=_number(_first(words, "memory"), 0) * 1024,
        system=_first(words, "system"),
        flags=tuple(_first(words, "flags").split()),
        programs=dict(_program(line) for line in words.get("engine", ())),
        docker=_version(_first(words, "docker")),
        entries=_entries(words.get("entry", ())),
        ran=dict(_ran(line) for line in words.get("ran", ()) if line.count(" ") == 2),
    )


def findings(survey: Survey) -> tuple[Findings, tuple[str, ...]]:
    """Return how platforms run on the host, as its own programs proved, and notes on what is odd."""
    found: Findings = {}
    notes = []
    for name, ran in survey.ran.items():
        arch = find_arch(name)
        claims = [entry for entry in claiming(arch, survey.entries) if entry.enabled]
        native = runs_natively(arch, survey.arch)
        if ran.status != EXEC_STATUS:
            continue
        if not native and not ran.rooted and claims and not any("F" in entry.flags for entry in claims):
            notes.append(f"{arch.oci}: {claims[0].name} has no flag F, so its emulator is not found inside images")
            continue
        if native and claims:
            notes.append(f"{arch.oci}: the processor runs it itself, and {claims[0].name} makes it be emulated")
        emulated = not native or bool(claims)
        found[Platform.parse(arch.oci)] = (Runs.EMULATED if emulated else Runs.NATIVE, _how(survey, ran, claims, native=not emulated))
    if not survey.ran:
        notes.append("no program could be run there: every folder for temporary files is mounted noexec")
        found[Platform.parse(survey.arch.oci)] = (Runs.NATIVE, f"its kernel says {survey.arch.name}")
    return with_variants(found, x86_levels(survey.flags)), tuple(notes)


def _how(survey: Survey, ran: Ran, claims: list[Entry], *, native: bool) -> str:
    where = "in an empty root folder" if ran.rooted else "there"
    by = f"{survey.arch.name} runs it itself" if native else f"{claims[0].interpreter} emulates it" if claims else "an emulator runs it"
    return f"{by}; a program of it ran {where}"


def _first(words: Mapping[str, list[str]], key: str) -> str:
    return next(iter(words.get(key, ())), "")


def _last(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return f"it said: {lines[-1][:200]}" if lines else "it said nothing"


def _number(text: str, default: int) -> int:
    return int(text) if re.fullmatch(r"[0-9]{1,15}", text, re.ASCII) else default


def _arch(machine: str) -> Arch:
    try:
        return find_arch(machine)
    except UsageError as error:
        raise TargetError("node-arch-unknown", f"the host is a {machine or 'machine without a name'}, which we do not know") from error


def _version(text: str) -> str:
    match = _VERSION.search(text)
    return match.group() if match else ""


def _program(line: str) -> tuple[str, str]:
    name, _, words = line.partition(" ")
    return name, _version(words)


def _entries(lines: list[str] | tuple[()]) -> tuple[Entry, ...]:
    texts: dict[str, list[str]] = {}
    for line in lines:
        name, _, content = line.partition(" ")
        texts.setdefault(name, []).append(content)
    found = (parse_entry(name, "\n".join(content)) for name, content in texts.items())
    return tuple(entry for entry in found if entry is not None)


def _ran(line: str) -> tuple[str, Ran]:
    name, how, status = line.split(" ")
    return name, Ran(_number(status, 127), rooted=how == "root")
