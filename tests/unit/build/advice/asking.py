"""Asks for advice on a text, and proves of a safe patch what every safe patch promises."""

from collections.abc import Mapping

from quarterdeck.build.advice import Advice, advise, apply, improve
from quarterdeck.build.dockerfile.model import Dockerfile
from quarterdeck.build.dockerfile.parser import parse
from quarterdeck.build.platform import Platform, parse_platforms
from quarterdeck.build.stages.model import StageGraph
from quarterdeck.build.stages.resolve import resolve_stages

BOTH = "linux/amd64,linux/arm64"
BUILD = Platform("linux", "amd64")


def graphs(dockerfile: Dockerfile, platforms: str = BOTH) -> Mapping[Platform, StageGraph]:
    return {one: resolve_stages(dockerfile, target=one, build=BUILD, arguments={}) for one in parse_platforms([platforms])}


def advice(text: str, platforms: str = BOTH) -> list[Advice]:
    dockerfile = parse(text)
    return advise(dockerfile, graphs(dockerfile, platforms))


def only(text: str, rule: str, platforms: str = BOTH) -> Advice:
    """Return the one piece of advice of a rule."""
    (found,) = [one for one in advice(text, platforms) if one.rule == rule]
    return found


def rules(text: str, platforms: str = BOTH) -> list[str]:
    return [one.rule for one in advice(text, platforms)]


def patched(text: str, rule: str, platforms: str = BOTH) -> str:
    """Return the text with the one safe patch of a rule, after proving what holds for all of them."""
    found = only(text, rule, platforms)
    assert found.safe, found.why
    before = parse(text)
    after = parse(apply(before, [found]))
    assert after.text != text
    assert rule not in rules(after.text, platforms)
    assert comments(after) == comments(before)
    assert after.text.count("\r\n") == (after.text.count("\n") if "\r\n" in text else 0)
    assert platforms_of_others(before, found, platforms) == platforms_of_others(after, found, platforms)
    again = improve(before, lambda dockerfile: graphs(dockerfile, platforms))
    assert improve(again, lambda dockerfile: graphs(dockerfile, platforms)).text == again.text
    return after.text


def comments(dockerfile: Dockerfile) -> list[str]:
    return [line.strip() for line in dockerfile.text.split("\n") if line.strip().startswith("#")]


def platforms_of_others(dockerfile: Dockerfile, found: Advice, platforms: str) -> list[tuple[str, Platform]]:
    """Return the platforms of all stages but those that stand on the stage of the advice."""
    result = []
    for graph in graphs(dockerfile, platforms).values():
        for stage in graph.needed:
            below = stage
            while hasattr(below.base, "index"):
                below = graph.stages[below.base.index]
            if found.stage not in (stage.label, below.label):
                result.append((stage.label, stage.platform))
    return result


def platform_of(text: str, stage: str, target: str) -> str:
    """Return the platform that a stage has in the build for one target."""
    graph = graphs(parse(text), target)[Platform.parse(target)]
    return next(str(one.platform) for one in graph.stages if one.label == stage)
