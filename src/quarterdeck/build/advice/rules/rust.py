"""Rust: cargo cross-compiles with a target and a linker for it; which crates have C code in them only the crates know.

Sources: the rustc book, "Platform Support"; the Cargo book, "Configuration" (``CARGO_TARGET_<triple>_LINKER``, ``build.target``).
"""

from __future__ import annotations

from collections.abc import Iterator

from quarterdeck.build.advice.model import Advice
from quarterdeck.build.advice.moving import commands, gain
from quarterdeck.build.advice.rule import Rule
from quarterdeck.build.advice.scene import Family, Scene
from quarterdeck.build.advice.toolchains import debian, triple
from quarterdeck.build.dockerfile.model import Instruction

_NAME = "rust-cross"
_VERBS = {"build", "b", "rustc", "install"}


def _check(scene: Scene) -> Iterator[Advice]:
    for family in scene.families:
        builds = [run for _, run, command in commands(scene, family) if command.program == "cargo" and _VERBS & set(command.arguments[:2])]
        text = " ".join(run.text for run in builds)
        if builds and "--target" not in text and scene.movable(family):
            yield _advice(scene, family, builds[0])


def _advice(scene: Scene, family: Family, run: Instruction) -> Advice:
    return Advice(
        rule=_NAME,
        span=scene.bodies[family.root][0].span,
        stage=scene.label(family.root),
        message=f"stage {scene.label(family.root)} could cross-compile on the build platform: cargo takes a target (line {run.span.first})",
        why=(
            "put it on --platform=$BUILDPLATFORM and, after the steps that do not depend on the target, "
            f"{_recipe(scene)}; cargo then writes to target/TRIPLE/release. Crates with C code need the "
            "target's libraries too (dpkg --add-architecture ARCH, NAME-dev:ARCH), so that only you can tell whether it works"
        ),
        gain=gain(scene, family),
    )


def _recipe(scene: Scene) -> str:
    """Return the commands for the first platform that can be named, as an example."""
    for platform in scene.graphs:
        names = debian(platform)
        if names and platform in {graph.target_platform for graph in scene.graphs.values() if graph.build_platform != platform}:
            rust = triple(platform)
            variable = f"CARGO_TARGET_{rust.upper().replace('-', '_')}_LINKER"
            linker = f"{names.gnu}-gcc"
            build = f"{variable}={linker} cargo build --target {rust}"
            return f"for {platform} install {names.package('gcc')} and run 'rustup target add {rust}' and '{build}'"
    return "run 'rustup target add TRIPLE' and 'CARGO_TARGET_TRIPLE_LINKER=GNU-gcc cargo build --target TRIPLE'"


RULE = Rule(_NAME, "a stage that compiles Rust could do so on the build platform", _check)
