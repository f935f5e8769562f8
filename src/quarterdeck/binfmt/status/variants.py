"""Variants of OCI platforms: what one emulator or processor runs beside the plain platform.

Sources: the x86-64 psABI (micro-architecture levels) with the kernel's names of the flags in /proc/cpuinfo; containerd's platforms
package (arm/v6 programs run wherever arm/v7 ones do).
"""

from __future__ import annotations

from collections.abc import Iterable

from quarterdeck.binfmt.status.model import Platform, Runs

_LEVELS = (
    ("v2", {"cx16", "lahf_lm", "popcnt", "sse4_1", "sse4_2", "ssse3"}),
    ("v3", {"avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe", "xsave"}),
    ("v4", {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}),
)


def with_variants(platforms: Iterable[Platform], cpu_flags: frozenset[str]) -> list[str]:
    """Return the OCI platforms that run here, each followed by those of its variants that do; native ones go first."""
    running = sorted((platform for platform in platforms if platform.runs is not Runs.NO), key=lambda one: one.runs is not Runs.NATIVE)
    return [name for platform in running for name in (platform.platform, *_variants(platform, cpu_flags))]


def _variants(platform: Platform, cpu_flags: frozenset[str]) -> list[str]:
    if platform.platform == "linux/arm/v7":
        return ["linux/arm/v6"]
    if platform.platform != "linux/amd64" or platform.runs is not Runs.NATIVE:
        return []
    variants = []
    for level, needed in _LEVELS:
        if not needed <= cpu_flags:
            break
        variants.append(f"linux/amd64/{level}")
    return variants
