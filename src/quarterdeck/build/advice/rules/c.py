"""C and C++ on Debian and Ubuntu: their cross compilers take the place of the native ones.

Source: Debian's wiki, "CrossToolchains"; packages gcc-TRIPLE and libc6-dev-ARCH-cross of Debian 12 and 13, of which the native gcc also
has the name TRIPLE-gcc. They exist for amd64 and arm64 builders.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from quarterdeck.build.advice.exports import Build, doubtful_exports, option_values
from quarterdeck.build.advice.model import Advice, Edit
from quarterdeck.build.advice.moving import Doubt, Move, commands, doubts_of, move
from quarterdeck.build.advice.places import after_word, replace_word
from quarterdeck.build.advice.programs import LIBRARY, packages
from quarterdeck.build.advice.rule import Rule
from quarterdeck.build.advice.scene import Family, Scene
from quarterdeck.build.advice.shell import Command
from quarterdeck.build.advice.toolchains import debian, known
from quarterdeck.build.dockerfile.model import Instruction

_NAME = "c-cross"
_TOOLS = {"gcc": "gcc", "cc": "gcc", "g++": "g++", "c++": "g++", "strip": "strip", "ar": "ar", "ranlib": "ranlib"}
_COMPILERS = {"gcc", "cc", "g++", "c++"}
_MAKE = {"make", "gmake"}
_BUILDERS = _COMPILERS | _MAKE
_OWN_LIBRARIES = {"libc6-dev", "libc-dev", "libstdc++-dev"}
_LIBC = {"-lm", "-lpthread", "-ldl", "-lrt", "-lc", "-lstdc++"}
_FOR_THIS_MACHINE = re.compile(r"-m(?:arch|cpu|tune)=native|\bpkg-config\b|\bpkgconf\b")
_DEBIAN = re.compile(r"(?:^|/)(?:debian|ubuntu)[^/]*$")
_APT = {"apt-get", "apt"}


def _check(scene: Scene) -> Iterator[Advice]:
    for family in scene.families:
        found = list(commands(scene, family))
        builds = [build for build in found if build[2].program in _BUILDERS]
        compilers = any(
            package.split("=")[0] in ("gcc", "g++", "build-essential", "build-base") for _, _, one in found for package in packages(one)
        )
        if builds and compilers and scene.movable(family) and not _other_language(found):
            yield _advice(scene, family, builds)


def _other_language(found: list[Build]) -> bool:
    """Whether the compiler is there for another language's rule."""
    return any(command.program in ("go", "cargo", "npm", "yarn", "pnpm", "pip", "pip3", "dotnet") for _, _, command in found)


def _advice(scene: Scene, family: Family, builds: list[Build]) -> Advice:
    doubts = [*doubts_of(scene, family, _known), *_doubts(scene, family, builds)]
    install = _install(scene, family)
    edits: list[Edit | None] = []
    if install is None:
        doubts.append(Doubt("no apt-get in it installs the compiler", blocks=True))
    else:
        edits = [_toolchain(scene, install), *_renamed(scene, family)]
    change = Move(
        rule=_NAME,
        message=f"stage {scene.label(family.root)} could compile on the build platform with a cross compiler",
        why=f"line {builds[0][1].span.first} compiles, which emulation slows down most",
        doubts=tuple(doubts),
        edits=tuple(edits),
    )
    return move(scene, family, change)


def _known(command: Command) -> bool:
    return command.program in _TOOLS


def _install(scene: Scene, family: Family) -> Instruction | None:
    """Return the last RUN that installs packages before the first that compiles; it has to stand in the stage at the bottom."""
    last = None
    for run in scene.runs(family.root):
        programs = {command.program for command in scene.script(run).commands}
        if programs & _BUILDERS:
            break
        if programs & _APT:
            last = run
    return last


def _doubts(scene: Scene, family: Family, builds: list[Build]) -> Iterator[Doubt]:
    if not _DEBIAN.search(scene.image(family.root)):
        yield Doubt("the stage does not stand on an image that is called debian or ubuntu")
    if strange := [str(platform) for platform in scene.graphs if debian(platform) is None]:
        yield Doubt(f"Debian has no cross compiler for {', '.join(strange)}", blocks=True)
    if any(graph.build_platform.architecture not in ("amd64", "arm64") for graph in scene.graphs.values()):
        yield Doubt("Debian has these cross compilers for builders that are amd64 or arm64")
    for _, run, command in commands(scene, family):
        yield from _doubts_of_command(run, command)
    yield from doubtful_exports(scene, family, builds, outputs=lambda command: option_values(command, ["-o"]), maker="the compiler")


def _doubts_of_command(run: Instruction, command: Command) -> Iterator[Doubt]:
    line = run.span.first
    for package in packages(command):
        if LIBRARY.fullmatch(package) and package not in _OWN_LIBRARIES:
            yield Doubt(
                f"line {line} installs {package}, of which the target's is needed: dpkg --add-architecture ARCH, {package}:ARCH",
                blocks=True,
            )
    if evidence := _FOR_THIS_MACHINE.search(run.text):
        yield Doubt(f"'{evidence.group()}' in line {line} looks at the machine that compiles", blocks=True)
    if command.program in _COMPILERS:
        for word in command.arguments:
            if word.startswith("-l") and word not in _LIBC:
                yield Doubt(f"'{word}' in line {line} needs a library of the target", blocks=True)
    if command.program in _MAKE:
        yield Doubt(f"only the Makefile knows whether it heeds CC and CXX (line {line})")


def _renamed(scene: Scene, family: Family) -> Iterator[Edit | None]:
    for _, _, command in commands(scene, family):
        if command.program in _TOOLS and command.words:
            yield replace_word(command.words[0], f"target-{_TOOLS[command.program]}")
        elif command.program in _MAKE:
            yield after_word(command.words[0], " CC=target-gcc CXX=target-g++")


def _toolchain(scene: Scene, install: Instruction) -> Edit:
    """Return the edit that adds a RUN with the compiler for the target: native where the target is the build platform."""
    cases = [f"      {pattern}) set -- {names.debian} {names.gnu} ;; \\" for pattern, names in known().items()]
    lines = [
        "ARG TARGETARCH",
        "ARG TARGETVARIANT",
        'RUN case "$TARGETARCH/$TARGETVARIANT" in \\',
        *cases,
        '      *) echo "no cross compiler for $TARGETARCH/$TARGETVARIANT" >&2; exit 1 ;; \\',
        "    esac; \\",
        '    if [ "$1" != "$(dpkg --print-architecture)" ]; then \\',
        '      package="$(echo "$2" | tr _ -)" && apt-get update && \\',
        '      apt-get install -y --no-install-recommends "gcc-$package" "g++-$package" "libc6-dev-$1-cross" && \\',
        "      rm -rf /var/lib/apt/lists/*; \\",
        "    fi && \\",
        f"    for tool in {' '.join(sorted(set(_TOOLS.values())))}; do \\",
        '      ln -s "/usr/bin/$2-$tool" "/usr/local/bin/target-$tool" || exit 1; \\',
        "    done",
    ]
    escape = scene.dockerfile.directives.escape
    text = "".join(f"{line.removesuffix(chr(92))}{escape}\n" if line.endswith("\\") else f"{line}\n" for line in lines)
    return Edit(install.span.last + 1, 0, 0, text)


RULE = Rule(_NAME, "a stage that compiles C or C++ could do so on the build platform", _check)
