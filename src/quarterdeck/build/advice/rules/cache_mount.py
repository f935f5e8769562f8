"""Cache mounts that platforms share although what is in them belongs to one of them.

Sources: Dockerfile reference, "RUN --mount=type=cache": the id is the target's path unless given, and has no platform in it; variables
in it are expanded since frontend 1.3.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from quarterdeck.build.advice.model import Advice, Edit
from quarterdeck.build.advice.places import after_word, declare, replace_word
from quarterdeck.build.advice.rule import Rule
from quarterdeck.build.advice.rules.undeclared_argument import used_text
from quarterdeck.build.advice.scene import Scene
from quarterdeck.build.advice.text import Word, flat_instruction
from quarterdeck.build.dockerfile.model import Instruction

_NAME = "shared-cache-mount"
_SHAREABLE = re.compile(
    r"/go/pkg/mod|go-build|/\.npm\b|/\.m2\b|/\.gradle\b|cargo/(?:registry|git)|/var/(?:cache|lib)/apt|/etc/apk/cache|/var/cache/(?:apk|dnf|yum)"
    r"|\.cache/(?:pip|yarn|uv|pnpm|composer|go)|/\.nuget|pnpm.*store|\.pnpm-store|\.yarn/|/yarn\b|composer/cache|/\.ivy2|/\.sbt|/\.cache/?$|/root/\.cache/pypoetry"
)
"""Folders of package managers that keep architectures apart by themselves, or hold sources only."""
_APT = re.compile(r"/var/(?:cache|lib)/apt")
_PLATFORM = re.compile(r"\b(?:TARGET|BUILD)(?:PLATFORM|ARCH)\b")


@dataclass(frozen=True)
class _Mount:
    """One cache mount: where it stands, and its options."""

    stage: int
    run: Instruction
    word: Word
    options: dict[str, str]

    @property
    def target(self) -> str:
        return next((self.options[name] for name in ("target", "dst", "destination") if name in self.options), "")

    @property
    def key(self) -> str:
        """What BuildKit knows the cache by."""
        return self.options.get("id") or self.target.rstrip("/")


def _check(scene: Scene) -> Iterator[Advice]:
    if len(scene.graphs) < 2:
        return
    groups: dict[str, list[_Mount]] = {}
    for mount in _mounts(scene):
        groups.setdefault(mount.key, []).append(mount)
    for mounts in groups.values():
        shared = [mount for mount in mounts if _differs(scene, mount)]
        if not shared:
            continue
        if all(_APT.search(mount.target) for mount in shared):
            yield from _unlocked(scene, shared)
        elif not any(_SHAREABLE.search(mount.target) or _PLATFORM.search(mount.key) for mount in shared):
            yield _advice(scene, shared, alone=len(shared) == len(mounts))


def _mounts(scene: Scene) -> Iterator[_Mount]:
    for index in scene.used:
        for run in scene.runs(index):
            flat = flat_instruction(scene.dockerfile, run)
            for match in re.finditer(r"(?<=\s)--mount=(\S+)", flat.text):
                options = dict(part.partition("=")[::2] for part in match.group(1).strip("\"'").split(","))
                if options.get("type") == "cache":
                    yield _Mount(index, run, flat.word(match.start(), match.end()), options)


def _differs(scene: Scene, mount: _Mount) -> bool:
    """Whether the step runs more than once, for different platforms."""
    platforms = {stage.platform for _, stage in scene.uses(mount.stage)}
    targets = len(list(scene.uses(mount.stage)))
    return len(platforms) > 1 or (targets > 1 and bool(re.search(r"\bTARGET(?:PLATFORM|ARCH|OS)\b", used_text(mount.run))))


def _unlocked(scene: Scene, mounts: list[_Mount]) -> Iterator[Advice]:
    open_ones = [mount for mount in mounts if mount.options.get("sharing", "shared") == "shared"]
    if not open_ones:
        return
    edits = [_option(mount, "sharing", "locked") for mount in open_ones]
    first = open_ones[0]
    yield Advice(
        rule=_NAME,
        span=first.run.span,
        stage=scene.label(first.stage),
        message=f"the platforms build at the same time and share {first.target}, which apt locks",
        why="apt gives up when another apt holds the lock; sharing=locked makes them take turns",
        gain="builds for several platforms do not fail by chance",
        patch=_complete(edits),
        safe=_complete(edits) is not None,
    )


def _advice(scene: Scene, mounts: list[_Mount], *, alone: bool) -> Advice:
    first = mounts[0]
    names = ("TARGETARCH", "TARGETVARIANT") if any(platform.variant for platform in scene.graphs) else ("TARGETARCH",)
    suffix = "-" + "".join(f"${{{name}}}" for name in names)
    edits: list[Edit | None] = [_option(mount, "id", _identity(mount) + suffix) for mount in mounts]
    for index in sorted({mount.stage for mount in mounts}):
        edits += declare(scene, index, [(mount.run, names) for mount in mounts if mount.stage == index])
    doubts = [] if alone else ["a step that is the same for all platforms uses the cache too"]
    doubts += ["it begins as a copy of another stage"] if any("from" in mount.options for mount in mounts) else []
    patch = _complete(list(dict.fromkeys(edits)))
    return Advice(
        rule=_NAME,
        span=first.run.span,
        stage=scene.label(first.stage),
        message=f"all platforms share the cache mount {first.target}, in which files of one platform may be",
        why=_because(doubts),
        gain="platforms neither overwrite nor take each other's files",
        patch=patch,
        safe=patch is not None and not doubts,
    )


def _because(doubts: list[str]) -> str:
    why = "a cache is known by its id, the target's path unless given, and the platform is no part of it"
    return f"{why}; not applied by itself: {'; '.join(doubts)}" if doubts else why


def _identity(mount: _Mount) -> str:
    return mount.options.get("id") or re.sub(r"[^A-Za-z0-9.]+", "-", mount.target).strip("-") or "cache"


def _option(mount: _Mount, name: str, value: str) -> Edit | None:
    """Return the edit that gives a mount an option, in place of the one it has."""
    raw = mount.word.raw
    if raw[-1] in "\"'" or '="' in raw or "='" in raw:
        return None
    if name in mount.options:
        return replace_word(mount.word, re.sub(rf"(?<=,){name}=[^,]*|(?<=--mount=){name}=[^,]*", lambda _: f"{name}={value}", raw))
    return after_word(mount.word, f",{name}={value}")


def _complete(edits: list[Edit | None]) -> tuple[Edit, ...] | None:
    patch = tuple(edit for edit in edits if edit is not None)
    return patch if len(patch) == len(edits) else None


RULE = Rule(_NAME, "platforms share a cache mount whose files belong to one of them", _check)
