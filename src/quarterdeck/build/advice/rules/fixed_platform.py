"""``FROM --platform=linux/amd64``: one platform for all targets."""

from __future__ import annotations

from collections.abc import Iterator

from quarterdeck.build.advice.model import Advice
from quarterdeck.build.advice.places import platform_flag
from quarterdeck.build.advice.rule import Rule
from quarterdeck.build.advice.scene import Scene
from quarterdeck.build.stages.model import FromStage, Image

_NAME = "fixed-platform"


def _check(scene: Scene) -> Iterator[Advice]:
    for index in scene.used:
        flag = scene.bodies[index][0].flag("platform") or ""
        uses = [(graph, stage) for graph, stage in scene.uses(index) if isinstance(stage.base, Image)]
        wrong = [str(graph.target_platform) for graph, stage in uses if stage.platform != graph.target_platform]
        if flag and "$" not in flag and wrong:
            yield _of_image(scene, index, flag, wrong) if _in_image(scene, index) else _of_builder(scene, index, flag, wrong)


def _in_image(scene: Scene, index: int) -> bool:
    """Whether the stage, or one that stands on it, is an image that is asked for."""
    for graph in scene.graphs.values():
        stage = graph.stages[graph.target]
        while stage.index != index and isinstance(stage.base, FromStage):
            stage = graph.stages[stage.base.index]
        if stage.index == index:
            return True
    return False


def _of_image(scene: Scene, index: int, flag: str, wrong: list[str]) -> Advice:
    edit = platform_flag(scene, index, "")
    return Advice(
        rule=_NAME,
        span=scene.bodies[index][0].span,
        stage=scene.label(index),
        message=f"--platform={flag} puts programs for {flag} into the image for {', '.join(wrong)}",
        why="the platform is written down instead of following the target; not applied by itself: the base image may exist for it only",
        gain="each image has the programs of its platform",
        patch=(edit,) if edit else None,
    )


def _of_builder(scene: Scene, index: int, flag: str, wrong: list[str]) -> Advice:
    edit = platform_flag(scene, index, "--platform=$BUILDPLATFORM")
    return Advice(
        rule=_NAME,
        span=scene.bodies[index][0].span,
        stage=scene.label(index),
        message=f"stage {scene.label(index)} is for {flag} whatever builds it and whatever it is for ({', '.join(wrong)} too)",
        why=(
            "builders of other platforms emulate it, which --platform=$BUILDPLATFORM avoids; "
            f"not applied by itself: its tools may exist for {flag} only"
        ),
        gain="native on every builder",
        patch=(edit,) if edit else None,
    )


RULE = Rule(_NAME, "a FROM names one platform, which is wrong for all others", _check)
