"""Signs that a step makes something for another platform than the one it runs on.

Sources: docs.docker.com "Multi-platform builds" (TARGET* arguments), Go's environment variables, Debian's CrossToolchains,
xx's README (tonistiigi/xx), rustc and clang ``--target``, ``dotnet publish -a``, autoconf's ``--host``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from quarterdeck.build.planning.script import script
from quarterdeck.build.planning.work import commands
from quarterdeck.build.stages.model import Stage, StageStep

_TARGET_ARGUMENT = re.compile(r"\$\{?(TARGET(?:PLATFORM|OS|ARCH|VARIANT))\b")
_TRIPLE = r"(?:aarch64|arm|armv7l?|x86[_-]64|i[3-6]86|riscv64|powerpc64(?:le)?|s390x|mips(?:64)?(?:el)?|loongarch64)"
_SIGNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\b(GOARCH|GOARM|GOAMD64|CROSS_COMPILE|CARGO_BUILD_TARGET|CMAKE_TOOLCHAIN_FILE|npm_config_arch)="), "sets {0}"),
    (re.compile(r"(?:^|[\s/])(xx-(?!info)[a-z-]+)"), "calls {0}"),
    (re.compile(rf"\b({_TRIPLE}(?:-\w+)?-linux-(?:gnu|musl)\w*-(?:gcc|g\+\+|cc|c\+\+|ld|ar|strip|clang)(?:-[\d.]+)?)"), "calls {0}"),
    (re.compile(rf"\b((?:gcc|g\+\+|binutils)-{_TRIPLE}-linux-\w+|crossbuild-essential-[\w${{}}]+)"), "installs {0}"),
    (re.compile(r"(CMAKE_SYSTEM_PROCESSOR)\b"), "sets {0}"),
)
# Options that say for which platform, by the command that takes them.
_OPTIONS: tuple[tuple[re.Pattern[str], frozenset[str]], ...] = (
    (re.compile(r"(?:.*/)?(?:cargo|rustc|zig|clang(?:\+\+)?(?:-\d+)?)"), frozenset(("--target", "-target"))),
    (re.compile(r"(?:.*/)?rustup"), frozenset(("target",))),
    (re.compile(r"(?:.*/)?dotnet"), frozenset(("-a", "--arch", "-r", "--runtime"))),
    (re.compile(r"(?:.*/)?configure"), frozenset(("--host",))),
    (re.compile(r"(?:.*/)?dpkg"), frozenset(("--add-architecture",))),
)
_VARIABLES = ("GOARCH", "CROSS_COMPILE", "CARGO_BUILD_TARGET", "CMAKE_TOOLCHAIN_FILE", "npm_config_arch")


def sign_of(step: StageStep) -> str:
    """Return in words how a RUN shows that it makes something for another platform, empty when it does not show it."""
    found = _sign_in(script(step))
    if found:
        return found
    name = next((name for name in _VARIABLES if step.variables.get(name)), "")
    return f"has {name} in its environment" if name else ""


def first_sign(stage: Stage) -> str:
    """Return the first sign among the steps of a stage, with its line, empty when there is none."""
    for step in stage.runs:
        sign = sign_of(step)
        if sign:
            return f"line {step.line} {sign}"
    return ""


@lru_cache(maxsize=4096)
def _sign_in(text: str) -> str:
    return next(_signs(text), "")


def _signs(text: str) -> Iterator[str]:
    argument = _TARGET_ARGUMENT.search(text)
    if argument:
        yield f"uses {argument[1]}"
    for pattern, words in _SIGNS:
        found = pattern.search(text)
        if found:
            yield words.format(found[1])
    yield from filter(None, map(_option, commands(text)))


def _option(words: Sequence[str]) -> str:
    """Return the option of one command that says for which platform, in words."""
    for program, options in _OPTIONS:
        if program.fullmatch(words[0]):
            found = next((word for word in words[1:] if word.partition("=")[0] in options), "")
            return f"calls {words[0]} with {found}" if found else ""
    return ""
