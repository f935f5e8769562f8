"""What would make an emulated step faster, by what it does; the Dockerfile's own advice, with patches, is `quarterdeck.build.advice`.

Sources: docs.docker.com "Multi-platform builds: cross-compilation"; Debian's CrossToolchains; "dotnet publish -a" (dotnet/sdk);
dotnet/dotnet-docker#5355: .NET is not supported under QEMU.
"""

from __future__ import annotations

import re

from quarterdeck.build.planning.work import Work, commands, work_of
from quarterdeck.build.platform import Platform

_ON_BUILD = "in a stage FROM --platform=$BUILDPLATFORM"
_LANGUAGES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?:xx-)?go|garble"), f"compile {_ON_BUILD} with GOARCH=$TARGETARCH (CGO_ENABLED=0 where no C is needed)"),
    (re.compile(r"(?:xx-)?cargo|rustc|cross"), f"compile {_ON_BUILD} with cargo build --target and the target's linker"),
    (re.compile(r"dotnet|msbuild"), f"publish {_ON_BUILD} with dotnet publish -a $TARGETARCH; .NET is not supported under QEMU"),
    (
        re.compile(r"mvnw?|gradlew?|javac|sbt|kotlinc|scalac|lein"),
        f"build {_ON_BUILD}: class files and jars are the same for every architecture",
    ),
    (
        re.compile(r"npm|npx|yarn|pnpm|bun|tsc|webpack|vite|esbuild|rollup|parcel|ng|next"),
        f"build {_ON_BUILD} where no native addon is among the packages: the output is the same for every architecture",
    ),
    (
        re.compile(r"pip[3x]?|uv|poetry|pdm|maturin|python[\d.]*"),
        "take packages that have wheels of this platform (pip --only-binary=:all:), or build wheels on a native node",
    ),
    (
        re.compile(r"gem|bundler?|cpanm?|pecl|luarocks|R|Rscript|docker-php-ext-install"),
        "native parts are compiled here: use a native node",
    ),
    (
        re.compile(r".*(?:gcc|g\+\+|cc|c\+\+|clang|clang\+\+)(?:-[\d.]+)?|g?make|ninja|cmake|meson|scons|.*configure|.*autogen\.sh"),
        f"compile {_ON_BUILD} with the distribution's cross compiler (Debian: {{crossbuild}}), or xx",
    ),
)


def faster_step(text: str, platform: Platform) -> str:
    """Return what would make an emulated RUN faster, empty when only a native node would."""
    work = work_of(text)
    if work is Work.INSTALL:
        return "packages whose programs only build things can be installed in a stage on the build platform"
    if work is not Work.COMPILE:
        return ""
    names = {words[0] if "configure" in words[0] else words[0].rpartition("/")[2] for words in commands(text) if words}
    for pattern, advice in _LANGUAGES:
        if any(pattern.fullmatch(name) for name in names):
            return advice.format(crossbuild=_crossbuild(platform))
    return ""


def _crossbuild(platform: Platform) -> str:
    arch = platform.arch
    return f"crossbuild-essential-{arch.debian}" if arch and arch.debian else "crossbuild-essential-ARCH"
