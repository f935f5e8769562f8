"""``qd plan``: how the images of several platforms would be built, and why."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from quarterdeck.build.advice import RULES as ADVICE_RULES
from quarterdeck.build.advice import Advice, advise, improve
from quarterdeck.build.dockerfile.model import Dockerfile
from quarterdeck.build.engines.text import one_line
from quarterdeck.build.nodes.choice import Emulation as Policy
from quarterdeck.build.nodes.model import NodeFacts
from quarterdeck.build.planning.history import load
from quarterdeck.build.planning.make import make_plan
from quarterdeck.build.planning.model import BuildPlan, PlanOptions
from quarterdeck.build.planning.sarif import RULES as PLAN_RULES
from quarterdeck.build.planning.sarif import Finding, findings_of, to_sarif
from quarterdeck.build.planning.wanted import wanted_platforms
from quarterdeck.build.platform import Platform, parse_platforms
from quarterdeck.cli.build import options
from quarterdeck.cli.build.asked import facts_of
from quarterdeck.cli.build.change import show_change, write_change
from quarterdeck.cli.build.emulate import foresee
from quarterdeck.cli.build.missing import missing_in
from quarterdeck.cli.build.plan_view import show_plan
from quarterdeck.cli.build.source import read_source
from quarterdeck.cli.options import Json
from quarterdeck.cli.output import print_json, say
from quarterdeck.errors import UsageError

Sarif = Annotated[bool, typer.Option("--sarif", help="Print SARIF 2.1.0, for code reviews.")]
Steps = Annotated[bool, typer.Option("--steps", help="Give every step a line of its own.")]
Patch = Annotated[bool, typer.Option("--patch", help="Print the changes of the Dockerfile that are known to be safe, as a diff.")]
Write = Annotated[bool, typer.Option("--write", help="Make these changes in the file.")]


def plan(
    context: options.Context = ".",
    *,
    file: options.File = None,
    platform: options.Platforms = None,
    target: options.Stage = None,
    build_arg: options.BuildArgs = None,
    build_context: options.BuildContexts = None,
    emulation: options.Emulation = Policy.WARN,
    nodes: options.NodeNames = None,
    steps: Steps = False,
    json: Json = False,
    sarif: Sarif = False,
    patch: Patch = False,
    write: Write = False,
) -> None:
    """Say for each platform, stage and step whether it runs natively, cross-compiles or is emulated, on which node, and why.

    Builds nothing and fetches nothing. TIME is what earlier builds took. Below the steps stands what would make them faster, and
    advice on the Dockerfile. Exits with 1 when the build cannot be done, or not without emulation that `--emulation never` forbids.
    """
    _one_of(json=json, sarif=sarif, patch=patch, write=write)
    source = read_source(context, file)
    wanted = parse_platforms(platform) if platform else (Platform.of_host(),)
    settings = PlanOptions(
        arguments=options.build_arguments(build_arg or ()),
        stage=target,
        contexts=options.build_contexts(build_context or ()),
        emulation=emulation,
        history=load(),
    )
    tried = wanted_platforms(source.dockerfile, wanted, settings)
    facts = asyncio.run(facts_of(options.node_names(nodes or ()), wanted=tried))
    facts, made = _plan(source.dockerfile, wanted, facts, settings)
    advices = advise(source.dockerfile, made.graphs)
    if patch or write:
        better = improve(source.dockerfile, lambda changed: make_plan(changed, wanted, facts, settings).graphs)
        (write_change if write else show_change)(source, better)
        return
    if sarif:
        findings = [*findings_of(made), *_findings(advices)]
        print_json(to_sarif(made.name, findings, {**PLAN_RULES, **{rule.name: rule.summary for rule in ADVICE_RULES}}))
    elif json:
        print_json(_to_json(made, advices, facts))
    else:
        show_plan(made, advices, each=steps)
    for line in (*(note for one in facts for note in one.notes), *made.warnings, *missing_in(context, made, source.path)):
        say(one_line(f"warning: {line}"), "yellow")
    if not made.possible:
        raise typer.Exit(1)


def _plan(
    dockerfile: Dockerfile, platforms: Sequence[Platform], facts: tuple[NodeFacts, ...], settings: PlanOptions
) -> tuple[tuple[NodeFacts, ...], BuildPlan]:
    """Return the facts and the plan that a build would have, with the emulators that it would see to itself."""
    made = make_plan(dockerfile, platforms, facts, settings)
    more = foresee(made, facts)
    return (facts, made) if more == facts else (more, make_plan(dockerfile, platforms, more, settings))


def _one_of(**chosen: bool) -> None:
    words = [f"--{name}" for name, on in chosen.items() if on]
    if len(words) > 1:
        raise UsageError("options-exclude-each-other", f"{' and '.join(words)} exclude each other", hint=f"leave out {words[-1]}")


def _findings(advices: list[Advice]) -> list[Finding]:
    return [Finding(advice.rule, "note", f"{advice.message}. {advice.why}", advice.span) for advice in advices]


def _to_json(made: BuildPlan, advices: list[Advice], facts: tuple[NodeFacts, ...]) -> dict[str, Any]:
    return {**made.to_json(), "advice": [advice.to_json() for advice in advices], "nodes": [one.to_json() for one in facts]}
