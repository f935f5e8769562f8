"""``qd catalogue fetch``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from quarterdeck.cli.catalogue.fetching import Fetched, fetch_entry, fetch_file, fetch_url, is_file
from quarterdeck.cli.catalogue.options import ArchName, KindName, Mirror, More, Source, arch_of, split
from quarterdeck.cli.catalogue.source import open_catalogue
from quarterdeck.cli.options import Json, Member, ProgressMode, Sum
from quarterdeck.cli.output import Progress, print_json, results, say
from quarterdeck.cli.progress import renderer
from quarterdeck.core.arch import host_arch
from quarterdeck.core.report import Event, Reporter, Step
from quarterdeck.core.url import is_url, local_path
from quarterdeck.errors import UsageError
from quarterdeck.media.catalogue.pages import check_mirror
from quarterdeck.media.fetch import model
from quarterdeck.media.library.library import Options

if TYPE_CHECKING:
    from collections.abc import Coroutine

_T = TypeVar("_T")


def fetch(
    source: Source,
    arch: ArchName = None,
    release: Annotated[str | None, typer.Option("--release", metavar="NAME", help="The release.  [default: the newest]")] = None,
    kind: KindName = None,
    checksum: Sum = None,
    unverified: Annotated[
        bool, typer.Option("--unverified", help="Take it although nothing proves that it is the right file; that is recorded.")
    ] = False,
    member: Member = None,
    connections: Annotated[int, typer.Option("--connections", min=1, max=16, metavar="N", help="Connections to one server.")] = 4,
    mirror: Mirror = None,
    catalogue: More = None,
    progress: ProgressMode = Progress.AUTO,
    json: Json = False,
) -> None:
    """Fetch an image into the library, verified and unpacked, and print its path. 'qd run' does this by itself.

    What is there already is not fetched again. An interrupted download goes on where it stopped. An image in a file of this host that is
    neither packed nor to be converted stays where it lies.
    """
    wanted = None if checksum is None else model.Checksum.parse(checksum)
    options = Options(unverified=unverified, connections=connections, member=member)
    word = local_path(source)
    known = None if is_url(word) else open_catalogue(catalogue)
    if known is None or is_file(word, known):
        _check_nothing_to_choose(source, {"--arch": arch, "--release": release, "--kind": kind})
    if known is None:
        found = _shown(progress, lambda report: fetch_url(word, wanted, options=options, report=report))
    elif is_file(word, known):
        found = _shown(progress, lambda report: fetch_file(word, wanted, options=options, report=report))
    else:
        name, release = split(word, release)
        entry, machine = known.find(name), arch_of(arch) or host_arch()
        place = check_mirror(mirror) if mirror else ""
        found = _shown(
            progress,
            lambda report: fetch_entry(
                entry, machine, release=release, kind=kind, checksum=wanted, options=options, mirror=place, report=report
            ),
        )
    _print(found, json=json)


def _check_nothing_to_choose(source: str, choices: dict[str, object]) -> None:
    given = [name for name, value in choices.items() if value is not None]
    if given:
        reason = "it chooses between the files of an entry of the catalogue"
        raise UsageError("nothing-to-choose", f"{given[0]} means nothing for '{source}'", reason=reason, hint="leave it out")


def _shown(mode: Progress, work: Callable[[Reporter], Coroutine[None, None, _T]]) -> _T:
    shown = renderer(mode)

    def show(event: Event) -> None:
        shown.show("step" if isinstance(event, Step) else "message", asdict(event))

    try:
        return asyncio.run(work(show))
    finally:
        shown.close()


def _print(found: Fetched, *, json: bool) -> None:
    if json:
        print_json(found.to_json())
        return
    say(found.proof_text)
    results.print(str(found.path), markup=False)
