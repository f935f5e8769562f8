"""Arguments that a build has without being told: platforms, which need an ARG to be seen in a stage, and proxies, which do not.

Sources: "Automatic platform ARGs in the global scope" and "Predefined ARGs" of the Dockerfile reference; platform.go of
dockerfile2llb in BuildKit 0.34, which lets --build-arg override the platform arguments.
"""

from __future__ import annotations

from collections.abc import Mapping

from quarterdeck.build.platform import Platform

PROXIES = frozenset(
    name
    for upper in ("HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY")
    for name in (upper, upper.lower())
)  # fmt: skip


def platform_arguments(target: Platform, build: Platform, stage: str | None) -> dict[str, str]:
    """Return the platform arguments of the global scope.

    ``TARGETVARIANT`` is as BuildKit has it: ``v7`` for ``linux/arm/v7``, empty for ``linux/arm64``, whose ``v8`` is its default.
    """
    return {**_of("BUILD", build), **_of("TARGET", target), "TARGETSTAGE": stage or "default"}


def proxies_of(arguments: Mapping[str, str]) -> dict[str, str]:
    """Return those of the build arguments that every RUN has in its environment without an ARG."""
    return {name: value for name, value in arguments.items() if name in PROXIES}


def _of(prefix: str, platform: Platform) -> dict[str, str]:
    return {
        f"{prefix}PLATFORM": str(platform),
        f"{prefix}OS": platform.os,
        f"{prefix}OSVERSION": "",
        f"{prefix}ARCH": platform.architecture,
        f"{prefix}VARIANT": platform.variant,
    }
