"""What programs in a RUN mean for the question whether it may run on another platform."""

from __future__ import annotations

import re

from quarterdeck.build.advice.shell import Command
from quarterdeck.build.dockerfile.model import Instruction

_NEUTRAL_WORDS = """
set cd mkdir cp mv rm rmdir ln echo printf true : test [ touch chmod chown cat ls grep sed find sort head tail cut tr wc tee
sleep pwd export unset umask tar gzip gunzip bzip2 xz unzip zip git date basename dirname sha256sum sha512sum md5sum exit
"""
NEUTRAL = frozenset(_NEUTRAL_WORDS.split())
"""Programs whose output is the same on every processor, and that write no programs of their own making."""

NAMED_ARCHITECTURE = re.compile(
    r"(?<![A-Za-z0-9])(?:amd64|x86_64|x86-64|x64|linux64|arm64|arm64v8|arm32v[567]|aarch64|armv7|armhf|ppc64le|s390x|riscv64)(?![A-Za-z0-9])"
)
"""Names of architectures as file names, addresses and tags of images have them."""
FETCHERS = frozenset({"curl", "wget"})
_INSTALLERS = {
    "apt-get": {"install"},
    "apt": {"install"},
    "apk": {"add"},
    "dnf": {"install"},
    "microdnf": {"install"},
    "yum": {"install"},
    "zypper": {"install", "in"},
}
_WITH_VALUE = {"-o", "-t", "--virtual", "--repository", "-X", "--option", "--target-release", "--root", "-p"}
COMPILERS = re.compile(
    r"(?:gcc|g\+\+|clang|cc|tcc|llvm|build-base|build-essential|gcc-c\+\+|make|automake|libtool|pkgconf|pkg-config|musl-dev|libc6-dev|libc-dev)(?:[-:=.0-9].*)?"
)
LIBRARY = re.compile(r"(?:.+-dev|.+-devel|lib.+)(?:[:=].*)?")
_ASKS = re.compile(
    r"\buname\b|\$\(\s*arch\s*\)|`\s*arch\s*`|dpkg\s+--print-architecture|dpkg-architecture|apk\s+--print-arch|\blscpu\b|/proc/cpuinfo"
    r"|\$\{?(?:HOSTTYPE|MACHTYPE)\b|platform\.machine|process\.arch|rpm\s+(?:-E|--eval)|getconf\s+LONG_BIT|rustc\s+-v?V"
)
_SYSTEM_FOLDERS_WORDS = """
/ /bin /sbin /lib /lib64 /etc /opt /home /root /srv /usr /usr/bin /usr/sbin /usr/lib /usr/libexec /usr/local /usr/local/bin
/usr/local/lib /usr/local/sbin /var /var/lib /go /go/bin /tmp
"""
SYSTEM_FOLDERS = frozenset(_SYSTEM_FOLDERS_WORDS.split())
"""Folders in which a base image or a package may have put programs."""
PACKAGE_FOLDERS = (
    "/bin",
    "/sbin",
    "/lib",
    "/lib64",
    "/usr/bin",
    "/usr/sbin",
    "/usr/lib",
    "/usr/libexec",
    "/usr/include",
    "/usr/local/lib",
    "/var/lib/dpkg",
)
"""Folders into which packages put programs and libraries."""
_COPIERS = {"cp", "mv", "ln", "tar", "cat", "zip", "gzip"}
_RUNS_OTHERS = {"-exec", "-execdir", "-ok", "-okdir"}
_OTHER_ROOT = {"--root", "-p", "--installroot", "--initdb", "download", "fetch", "--relocatable"}
_NEUTRAL_FILES = (
    "/etc/ssl",
    "/etc/ca-certificates",
    "/etc/passwd",
    "/etc/group",
    "/usr/share/zoneinfo",
    "/usr/share/ca-certificates",
    "/usr/local/go/lib",
    "/usr/local/go/misc",
)


def asks_machine(instruction: Instruction) -> bool:
    """Whether a RUN asks for the processor it runs on, which is the build platform's once the stage is there."""
    texts = [instruction.text, *(instruction.words or ()), *(heredoc.content for heredoc in instruction.heredocs)]
    return any(_ASKS.search(text) for text in texts)


def packages(command: Command) -> tuple[str, ...]:
    """Return the packages that a command installs with a distribution's package manager, empty when it is no such command."""
    verbs = _INSTALLERS.get(command.program, set())
    words = list(command.arguments)
    verb = next((number for number, word in enumerate(words) if word in verbs), None)
    if verb is None:
        return ()
    rest = words[:verb] + words[verb + 1 :]
    return tuple(word for before, word in zip(["", *rest], rest, strict=False) if not word.startswith("-") and before not in _WITH_VALUE)


def manages_packages(command: Command) -> bool:
    """Whether it is a package manager of a distribution, whatever it does."""
    return command.program in _INSTALLERS or command.program in ("apt-mark", "apt-cache")


def harmless(command: Command) -> bool:
    """Whether the command does the same on every platform, as far as files that are later copied are concerned."""
    if command.program == "find" and _RUNS_OTHERS & set(command.arguments):
        return False
    return not command.words or command.program in NEUTRAL or manages_packages(command)


def takes_foreign_files(command: Command) -> bool:
    """Whether a command puts files of the image or of packages where a later COPY may take them."""
    if manages_packages(command):
        return any(word.partition("=")[0] in _OTHER_ROOT for word in command.arguments)
    if command.program not in _COPIERS:
        return False
    words = (word for word in command.arguments if not word.startswith("-"))
    return any("$(" in word or "`" in word or any(below(word, folder) for folder in PACKAGE_FOLDERS) for word in words)


def below(path: str, folder: str) -> bool:
    """Whether an absolute path is the folder or stands below it."""
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def neutral_file(path: str) -> bool:
    """Whether a path of a base image holds the same on all platforms: certificates, time zones, accounts."""
    return any(below(path, folder) for folder in _NEUTRAL_FILES)
