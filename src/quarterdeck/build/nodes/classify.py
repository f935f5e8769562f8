"""Native or emulated: told apart by the node's processor, its own programs that ran there, and what claims them in its kernel."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from quarterdeck.build.nodes.model import Runs
from quarterdeck.build.platform import Platform
from quarterdeck.core.arch import Arch, runs_natively

Findings = dict[Platform, tuple[Runs, str]]
"""How each platform runs, and how that is known."""

# x86-64 psABI, "Micro-architecture levels", by the names in Linux's /proc/cpuinfo; abm stands for LZCNT.
_LEVELS = (
    ("v2", "cx16 lahf_lm popcnt sse4_1 sse4_2 ssse3"),
    ("v3", "abm avx avx2 bmi1 bmi2 f16c fma movbe"),
    ("v4", "avx512bw avx512cd avx512dq avx512f avx512vl"),
)
_LOWER = {"v7": ("v6", "v5"), "v6": ("v5",)}
"""What else runs where a variant of 32-bit ARM does, as containerd's platforms package matches them."""


def x86_levels(flags: Iterable[str]) -> tuple[str, ...]:
    """Return the levels above the first that a processor with these flags has."""
    have, levels = set(flags), []
    for level, needed in _LEVELS:
        if not have.issuperset(needed.split()):
            break
        levels.append(level)
    return tuple(levels)


def by_word(asked: Iterable[Platform], node: Arch, *, word: str) -> Findings:
    """Classify what an engine on a node of architecture ``node`` says it builds; ``word`` tells who says so."""
    found: Findings = {}
    for platform in asked:
        native = platform.os == "linux" and platform.arch is not None and runs_natively(platform.arch, node)
        reason = f"{node.name} runs it itself; {word}" if native else f"{node.name} does not run it itself; {word}"
        found[platform] = (Runs.NATIVE if native else Runs.EMULATED, reason)
    return with_variants(found)


def with_variants(found: Findings, levels: Iterable[str] = ()) -> Findings:
    """Add what comes with a platform: lower variants of 32-bit ARM, and x86-64 levels that the processor was found to have."""
    result = dict(found)
    for platform, (runs, reason) in found.items():
        for variant in _LOWER.get(platform.variant, ()) if platform.architecture == "arm" else ():
            result.setdefault(Platform(platform.os, "arm", variant), (runs, f"comes with {platform}: {reason}"))
        if platform.architecture == "amd64" and not platform.variant and runs is Runs.NATIVE:
            for level in levels:
                result.setdefault(Platform(platform.os, "amd64", level), (runs, f"the processor has all that {level} asks for"))
    return result


def better(first: Findings, second: Findings) -> Findings:
    """Return both together; where they differ, native counts."""
    result = dict(first)
    for platform, found in second.items():
        if platform not in result or (found[0] is Runs.NATIVE and result[platform][0] is Runs.EMULATED):
            result[platform] = found
    return result


def fixed(found: Findings, wanted: Iterable[Platform], *, asked: bool) -> tuple[Findings, tuple[str, ...]]:
    """Return what the user fixed of what was found, and notes on what was not; where nobody could be ``asked`` the user's word counts."""
    platforms = tuple(wanted)
    if not platforms:
        return found, ()
    kept: Findings = {platform: found[platform] for platform in platforms if platform in found}
    missing = [platform for platform in platforms if platform not in found]
    if not asked:
        return {**kept, **dict.fromkeys(missing, (Runs.NATIVE, "you said so; the node cannot be asked"))}, ()
    return kept, tuple(f"{platform} is fixed for this node, which cannot run it" for platform in missing)


def split(found: Findings) -> tuple[Mapping[Platform, Runs], Mapping[Platform, str]]:
    """Return how each platform runs and how that is known, native ones first."""
    order = sorted(found, key=lambda platform: found[platform][0] is Runs.EMULATED)
    return {platform: found[platform][0] for platform in order}, {platform: found[platform][1] for platform in order}
