"""What sort of work a RUN is, recognised from its words, and how much emulation costs that sort.

Slowdowns of QEMU's user-mode emulation of linux/arm64 on x86-64, measured with QEMU 7.2 and Debian 12: apt-get update 5.8,
apt-get install of gcc 4.4, gcc -O1 on SQLite's amalgamation 8.9. Short shell steps were not measured by themselves: they are mostly
starts of small programs, so they count like the cheaper of the two package steps.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from enum import StrEnum
from functools import lru_cache


class Work(StrEnum):
    """Sorts of work, the most expensive first."""

    COMPILE = "compile"
    INSTALL = "install"
    SHELL = "shell"

    @property
    def weight(self) -> int:
        """How much work it is beside the others; only for comparing nodes when nothing was measured."""
        return _WEIGHTS[self]

    @property
    def slowdown(self) -> float:
        """How many times longer it takes under emulation than natively."""
        return _SLOWDOWNS[self]

    @property
    def words(self) -> str:
        """The sort for people."""
        return _WORDS[self]


_WEIGHTS = {Work.COMPILE: 20, Work.INSTALL: 5, Work.SHELL: 1}
_SLOWDOWNS = {Work.COMPILE: 9.0, Work.INSTALL: 5.0, Work.SHELL: 4.0}
_WORDS = {Work.COMPILE: "compiles", Work.INSTALL: "installs packages", Work.SHELL: "runs small commands"}

# Commands that compile, or that may: package managers of languages build native parts from source where no binary fits.
_COMPILERS_TEXT = """
    make gmake ninja samu cmake ctest meson scons bazel bazelisk buck2 waf javac kotlinc scalac ghc cabal stack rustc zig nim nimble
    swift swiftc crystal dmd ldc2 gfortran gnatmake gprbuild ocamlfind dune opam tsc esbuild webpack vite rollup parcel ng next
    mvn mvnw gradle gradlew sbt lein mill dotnet msbuild mix rebar3 erlc dpkg-buildpackage debuild rpmbuild abuild makepkg emerge
    npm npx yarn pnpm bun node-gyp gem bundle bundler pip pip3 pipx uv poetry pdm cpan cpanm luarocks pecl docker-php-ext-install
    tinygo gox goreleaser ko wasm-pack maturin nasm yasm
"""
_COMPILERS = frozenset(_COMPILERS_TEXT.split())
_GO = frozenset(("build", "install", "test", "generate", "run", "vet"))
_CARGO = frozenset(("build", "b", "install", "test", "check", "rustc", "bench", "chef", "run", "auditable", "zigbuild", "xwin"))
_CHEAP = {
    "npm": {"config", "cache", "pkg", "version", "set", "login", "ping", "view"},
    "yarn": {"config", "cache", "set", "version"},
    "pnpm": {"config", "store", "fetch"},
    "pip": {"config", "cache", "list", "freeze", "show"},
    "pip3": {"config", "cache", "list", "freeze", "show"},
    "gem": {"sources", "list", "cleanup"},
    "dotnet": {"nuget", "tool", "help"},
    "mvn": {"dependency:go-offline", "dependency:resolve"},
}
_MANAGERS = {
    "apt-get": {"install", "update", "upgrade", "dist-upgrade", "full-upgrade", "build-dep", "remove", "purge", "autoremove"},
    "apt": {"install", "update", "upgrade", "full-upgrade", "build-dep", "remove", "purge", "autoremove"},
    "aptitude": {"install", "update", "upgrade", "build-dep"},
    "apk": {"add", "upgrade", "update", "del", "fix"},
    "dpkg": {"-i", "--install", "--configure", "-r", "-P", "--purge"},
    "rpm": {"-i", "-ivh", "-U", "-Uvh", "--install", "--upgrade"},
    "composer": {"install", "update", "require"},
}
_ALWAYS_INSTALL_TEXT = """
    dnf yum microdnf tdnf zypper pacman xbps-install swupd conda mamba micromamba opkg brew apt-install install_packages clean-install
    add-apt-repository debootstrap mmdebstrap xx-apt xx-apt-get xx-apk tlmgr nix-env
"""
_ALWAYS_INSTALL = frozenset(_ALWAYS_INSTALL_TEXT.split())
_COMPILER = re.compile(r"(?:.*-)?(?:gcc|g\+\+|cc|c\+\+|clang|clang\+\+|cpp)(?:-[\d.]+)?", re.ASCII)
_CONFIGURE = re.compile(r"(?:.*/)?(?:configure|autogen\.sh|bootstrap\.sh|build\.sh|compile\.sh|setup\.py)", re.IGNORECASE)
_SPLIT = re.compile(r"&&|\|\||[;|\n(){}`]|&(?!\d)|\$\(")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_PREFIXES_TEXT = """
    sh bash ash dash sudo env exec time nice nohup command eval then else do if while until ! xvfb-run fakeroot setarch ccache set
"""
_PREFIXES = frozenset(_PREFIXES_TEXT.split())


@lru_cache(maxsize=4096)
def work_of(text: str) -> Work:
    """Return the most expensive sort of work among the commands of a shell script."""
    found = {sort_of(words) for words in commands(text)}
    return next((work for work in Work if work in found), Work.SHELL)


def commands(text: str) -> Iterator[list[str]]:
    """Yield the commands of a shell script as words, without assignments and words like ``sudo`` before them.

    It splits at operators and spaces and removes quotes; that is enough to recognise a command, not to run it.
    """
    for part in _SPLIT.split(text.replace("\\\n", " ")):
        words = [word.strip("\"'") for word in part.split()]
        first = next((index for index, word in enumerate(words) if not _stands_before(word)), None)
        if first is not None:
            yield words[first:]


def _stands_before(word: str) -> bool:
    return not word or word.rpartition("/")[2] in _PREFIXES or word.startswith("-") or bool(_ASSIGNMENT.match(word))


def sort_of(words: Sequence[str]) -> Work:
    """Return the sort of work of one command."""
    name = words[0].rpartition("/")[2] or words[0]
    verb = _verb(words)
    if name.startswith("python") and words[1:3] in (["-m", "pip"], ["-m", "build"]):
        return Work.COMPILE
    if _compiles(name, verb, words):
        return Work.COMPILE
    installs = name in _ALWAYS_INSTALL or not _MANAGERS.get(name, set()).isdisjoint(words[1:])
    return Work.INSTALL if installs else Work.SHELL


def _compiles(name: str, verb: str, words: Sequence[str]) -> bool:
    if name in ("go", "xx-go", "garble"):
        return verb in _GO
    if name in ("cargo", "xx-cargo", "cross"):
        return verb in _CARGO or verb.startswith("+")
    if name.startswith("python") and any(_CONFIGURE.fullmatch(word) for word in words[1:3]):
        return True
    if name in _COMPILERS:
        return verb not in _CHEAP.get(name, ())
    return bool(_COMPILER.fullmatch(name) or _CONFIGURE.fullmatch(words[0]))


def _verb(words: Sequence[str]) -> str:
    """Return the first word after the command that is no flag: ``build`` of ``go build``."""
    return next((word for word in words[1:] if not word.startswith("-")), "")
