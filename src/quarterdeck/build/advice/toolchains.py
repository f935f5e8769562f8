"""What Debian's cross compilers are called for each platform.

Sources: ``dpkg-architecture -L`` and the packages gcc-TRIPLE of Debian 12 and 13; the rustc book, "Platform Support".
"""

from __future__ import annotations

from dataclasses import dataclass

from quarterdeck.build.platform import Platform


@dataclass(frozen=True)
class Names:
    """Debian's name of an architecture, as in libc6-dev-arm64-cross, and the triple of its GNU tools."""

    debian: str
    gnu: str

    def package(self, tool: str) -> str:
        """Return the package of a cross compiler, such as gcc-x86-64-linux-gnu: names of packages have no underscores."""
        return f"{tool}-{self.gnu.replace('_', '-')}"


_NAMES = {
    "amd64": Names("amd64", "x86_64-linux-gnu"),
    "arm64": Names("arm64", "aarch64-linux-gnu"),
    "arm/v7": Names("armhf", "arm-linux-gnueabihf"),
    "386": Names("i386", "i686-linux-gnu"),
    "ppc64le": Names("ppc64el", "powerpc64le-linux-gnu"),
    "riscv64": Names("riscv64", "riscv64-linux-gnu"),
    "s390x": Names("s390x", "s390x-linux-gnu"),
}
_RUST = {
    "arm/v7": "armv7-unknown-linux-gnueabihf",
    "386": "i686-unknown-linux-gnu",
    "riscv64": "riscv64gc-unknown-linux-gnu",
}


def debian(platform: Platform) -> Names | None:
    """Return the names for a platform, None where Debian has no cross compiler that every release in use has."""
    return _NAMES.get(_key(platform)) if platform.os == "linux" else None


def triple(platform: Platform) -> str:
    """Return Rust's target triple for a platform that :func:`debian` knows."""
    key = _key(platform)
    return _RUST.get(key, _NAMES[key].gnu.replace("-linux", "-unknown-linux"))


def known() -> dict[str, Names]:
    """Return the names by ``architecture/variant``, as a shell writes ``$TARGETARCH/$TARGETVARIANT``; ``*`` is any variant."""
    return {key if "/" in key else f"{key}/*": names for key, names in _NAMES.items()}


def _key(platform: Platform) -> str:
    return f"{platform.architecture}/{platform.variant}" if platform.architecture == "arm" else platform.architecture
