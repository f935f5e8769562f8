"""``qd build``: images for many platforms."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import typer

from quarterdeck.build.nodes.choice import Emulation as EmulationPolicy
from quarterdeck.build.nodes.store import parse_engine
from quarterdeck.build.output.destination import Destination, Kind, check_outputs, parse_output
from quarterdeck.build.platform import Platform, parse_platforms
from quarterdeck.build.run.finish import Wishes
from quarterdeck.build.run.job import Finished
from quarterdeck.build.run.metadata import image_id, metadata
from quarterdeck.build.run.order import BuildOrder
from quarterdeck.cli.build import beforehand, options
from quarterdeck.cli.build import build_options as option
from quarterdeck.cli.build.perform import Asked, perform
from quarterdeck.cli.build.source import Source, read_source
from quarterdeck.cli.options import Json, ProgressMode
from quarterdeck.cli.output import Progress, print_json
from quarterdeck.core.fs import write_atomic, write_json


def build(
    context: options.Context = ".",
    extra: option.Extra = None,
    *,
    file: options.File = None,
    tag: option.Tags = None,
    platform: options.Platforms = None,
    target: options.Stage = None,
    build_arg: options.BuildArgs = None,
    build_context: options.BuildContexts = None,
    secret: option.Secrets = None,
    ssh: option.Ssh = None,
    label: option.Labels = None,
    annotation: option.Annotations = None,
    cache_from: option.CacheFrom = None,
    cache_to: option.CacheTo = None,
    no_cache: option.NoCache = False,
    pull: option.Pull = False,
    network: option.Network = None,
    add_host: option.AddHosts = None,
    push: option.Push = False,
    load_image: option.Load = False,
    output: option.Outputs = None,
    iidfile: option.IidFile = None,
    metadata_file: option.MetadataFile = None,
    provenance: option.Provenance = None,
    sbom: option.Sbom = None,
    emulation: options.Emulation = EmulationPolicy.WARN,
    nodes: options.NodeNames = None,
    engine: option.Engine = None,
    step_timeout: option.StepTimeout = None,
    keep_going: option.KeepGoing = False,
    no_check: option.NoCheck = False,
    quiet: option.Quiet = False,
    progress: ProgressMode = Progress.AUTO,
    json: Json = False,
) -> None:
    """Build an image for one or many platforms, each on the node that suits it, and bring it where it is of use.

    Steps run natively or cross-compile where they can, and are emulated where nothing else is left (`qd plan` says why). All platforms
    are built side by side and become one image, in which every program is looked at before it goes anywhere.

    Without `--push`, `--load` or `--output` the image goes into this host's engine, else into an OCI archive in this folder: it is never
    left in a builder's cache. What follows `--` goes to the engine as it is.
    """
    context, arguments = beforehand.split_extra(context, extra or ())
    names = tuple(tag or ())
    contexts = options.build_contexts(build_context or ())
    platforms = parse_platforms(platform) if platform else (Platform.of_host(),)
    places = _places(push=push, load_image=load_image, outputs=output or ())
    check_outputs(places, names, several=len(platforms) > 1)
    beforehand.check_names((*names, *(name for place in places for name in place.names)))
    beforehand.check_written(places, iidfile, metadata_file)
    beforehand.check_read(secret or (), contexts)
    source = read_source(context, file)
    order = BuildOrder(
        context=_context(context, source),
        dockerfile=source.dockerfile,
        file=source.path,
        platforms=platforms,
        target=target or "",
        build_args=options.build_arguments(build_arg or ()),
        build_contexts=contexts,
        secrets=tuple(secret or ()),
        ssh=tuple(ssh or ()),
        labels=option.pairs(label or (), "--label"),
        annotations=option.annotations_of(annotation or (), of_index=False),
        cache_from=tuple(cache_from or ()),
        cache_to=tuple(cache_to or ()),
        no_cache=no_cache,
        pull=pull,
        network=network.value if network else "",
        add_hosts=tuple(add_host or ()),
        provenance=provenance,
        sbom=sbom,
        extra=arguments,
        step_timeout=step_timeout,
        engine=parse_engine(engine) if engine else None,
        keep_going=keep_going,
    )
    wishes = Wishes(names, option.annotations_of(annotation or (), of_index=True), attestations=provenance != "false" or bool(sbom))
    asked = Asked(
        order=order,
        wishes=wishes,
        places=places,
        emulation=emulation,
        nodes=options.node_names(nodes or ()),
        checked=not no_check,
    )
    finished = asyncio.run(perform(asked, mode=progress, quiet=quiet, plan_shown=not quiet and progress is not Progress.JSON))
    _hand_over(finished, iidfile, metadata_file)
    _print(finished, json=json, quiet=quiet)


def _print(finished: Finished, *, json: bool, quiet: bool) -> None:
    if json:
        print_json(metadata(finished))
    elif quiet:
        typer.echo(metadata(finished)["containerimage.digest"])
    else:
        for one in finished.deliveries:
            typer.echo(one.text)


def _hand_over(finished: Finished, iidfile: Path | None, metadata_file: Path | None) -> None:
    if iidfile is not None:
        write_atomic(iidfile, image_id(finished).encode(), mode=0o644)
    if metadata_file is not None:
        write_json(metadata_file, metadata(finished), mode=0o644)


def _places(*, push: bool, load_image: bool, outputs: Sequence[str]) -> tuple[Destination, ...]:
    wanted = [Destination(Kind.REGISTRY)] if push else []
    wanted += [Destination(Kind.ENGINE)] if load_image else []
    return tuple(dict.fromkeys([*wanted, *map(parse_output, outputs)]))


def _context(context: str, source: Source) -> str:
    """A Dockerfile alone, from standard input, is built in an empty folder; ``-f -`` has its context."""
    return context if context != "-" else ""
