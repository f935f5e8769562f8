"""``qd image check``: proves that an image is what it says it is."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import shlex
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from quarterdeck.build.check.check import CheckOptions, check_source, unknown_base
from quarterdeck.build.check.fetch import Fetched, Place, RegistryBases, fetch
from quarterdeck.build.check.memory import LayerMemory
from quarterdeck.build.check.report import CheckReport
from quarterdeck.build.check.smoke import SmokeOptions, SmokeRun, smoke
from quarterdeck.build.oci.layout import ImageSource, Layout
from quarterdeck.build.oci.open_image import open_image
from quarterdeck.build.oci.transfer import Access
from quarterdeck.build.platform import parse_platforms
from quarterdeck.cli.image.check_view import show_report, show_summary
from quarterdeck.cli.options import Json, ProgressMode
from quarterdeck.cli.output import Progress, print_json
from quarterdeck.cli.progress import renderer
from quarterdeck.core.report import Event, Reporter, Step
from quarterdeck.errors import UsageError

Image = Annotated[
    str,
    typer.Argument(
        metavar="REF|FILE|FOLDER",
        help="A name in a registry, an OCI or docker archive, a layout folder; or TRANSPORT:NAME with docker, podman, oci, oci-archive, "
        "docker-archive, dir.",
    ),
]
Platforms = Annotated[
    list[str] | None,
    typer.Option("--platform", metavar="LIST", help="Platforms that have to be there, with commas. Repeatable."),
]
Smoke = Annotated[
    str | None, typer.Option("--smoke", metavar="CMD", help="Run this command in the image of each platform, emulated where need be.")
]
Engine = Annotated[
    str | None, typer.Option("--engine", metavar="podman|docker|buildah", help="What runs --smoke.  [default: the first that is there]")
]
SmokeTimeout = Annotated[
    float, typer.Option("--smoke-timeout", min=1, max=86400, metavar="SECONDS", help="How long the command may take in each image.")
]
Strict = Annotated[
    bool, typer.Option("--strict", help="Foreign programs are wrong anywhere, also in folders for them and when the processor runs them.")
]
Base = Annotated[bool, typer.Option("--base", help="Ask registries which platforms the base images are for.")]
AuthFile = Annotated[
    Path | None, typer.Option("--authfile", metavar="FILE", help="Credentials for registries.  [default: where skopeo looks]")
]
TlsVerify = Annotated[
    bool | None,
    typer.Option("--tls-verify/--no-tls-verify", help="Whether registries need a valid certificate.  [default: but for localhost]"),
]


def check(
    image: Image,
    platform: Platforms = None,
    smoke: Smoke = None,
    engine: Engine = None,
    smoke_timeout: SmokeTimeout = SmokeOptions.timeout,
    strict: Strict = False,
    base: Base = False,
    authfile: AuthFile = None,
    tls_verify: TlsVerify = None,
    json: Json = False,
    progress: ProgressMode = Progress.AUTO,
) -> None:
    """Look at every program in every layer of an image for each platform, and at what its index and configuration say.

    Changes nothing; with --smoke the engine knows the images for as long as the command runs. Exits with 1 when something is wrong.
    """
    access = Access(authfile, tls_verify)
    bases = RegistryBases(access) if base else unknown_base
    options = CheckOptions(parse_platforms(platform) if platform else (), strict, bases, LayerMemory.of_user())
    command = _command(smoke, engine)
    place = Place.parse(image)
    with _reporting(progress) as report, _opened(place, access, report) as (layout, fetched):
        results = [
            _examine(source, options, command, SmokeOptions(smoke_timeout, engine), report=report) for source in _sources(layout, fetched)
        ]
    if json:
        print_json(_as_json(image, results))
    else:
        for result, runs in results:
            show_report(result, runs, several=len(results) > 1)
        show_summary([result for result, _ in results])
    if not all(result.ok for result, _ in results):
        raise typer.Exit(1)


def _command(smoke: str | None, engine: str | None) -> list[str]:
    if smoke is None:
        if engine is not None:
            raise UsageError("engine-without-smoke", "--engine says what runs --smoke, and there is no --smoke")
        return []
    try:
        words = shlex.split(smoke)
    except ValueError as error:
        raise UsageError("invalid-command", f"'{smoke}' is no command", reason=str(error)) from None
    if not words:
        raise UsageError("no-command", "--smoke needs a command")
    return words


@contextlib.contextmanager
def _reporting(progress: Progress) -> Iterator[Reporter]:
    shown = renderer(progress)

    def report(event: Event) -> None:
        data: dict[str, Any] = {"time": time.time(), **dataclasses.asdict(event)}
        shown.show("step" if isinstance(event, Step) else "message", data)

    try:
        yield report
    finally:
        shown.close()


@contextlib.contextmanager
def _opened(place: Place, access: Access, report: Reporter) -> Iterator[tuple[Layout, Fetched]]:
    with tempfile.TemporaryDirectory(prefix="quarterdeck-check-") as work:
        fetched = asyncio.run(fetch(place, Path(work), access=access, report=report))
        with open_image(fetched.path) as layout:
            yield layout, fetched


def _sources(layout: Layout, fetched: Fetched) -> tuple[ImageSource, ...]:
    if fetched.name is None and layout.sources():
        return layout.sources()
    return (layout.source(fetched.name),)


def _examine(
    source: ImageSource, options: CheckOptions, command: list[str], smoke_options: SmokeOptions, *, report: Reporter
) -> tuple[CheckReport, list[SmokeRun]]:
    result = check_source(source, options, report=report)
    if not command:
        return result, []
    platforms = list(dict.fromkeys(image.platform for image in result.images if image.platform is not None))
    runs, findings = smoke(source, command, platforms, options=smoke_options, report=report)
    return dataclasses.replace(result, findings=(*result.findings, *findings)), runs


def _as_json(image: str, results: list[tuple[CheckReport, list[SmokeRun]]]) -> dict[str, Any]:
    checked = [{**result.to_json(), "smoke": [run.to_json() for run in runs]} for result, runs in results]
    return {"image": image, "ok": all(result.ok for result, _ in results), "results": checked}
