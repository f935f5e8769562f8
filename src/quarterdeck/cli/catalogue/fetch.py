"""``qd catalogue fetch``."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import Annotated

import typer

from quarterdeck.cli.catalogue.options import ArchName, EntryName, KindName, Mirror, More, arch_of, split
from quarterdeck.cli.catalogue.source import open_catalogue
from quarterdeck.cli.catalogue.view import as_json
from quarterdeck.cli.options import Json, ProgressMode
from quarterdeck.cli.output import Progress, print_json, results
from quarterdeck.cli.progress import renderer
from quarterdeck.core.arch import Arch, host_arch
from quarterdeck.core.report import Event, Reporter, Step, StepStatus
from quarterdeck.media.catalogue.model import Entry, Kind
from quarterdeck.media.catalogue.pages import Pages, check_mirror
from quarterdeck.media.catalogue.resolve import ResolvedEntry, choose_image, resolve_entry
from quarterdeck.media.fetch.http import Http
from quarterdeck.media.library.entry import LibraryImage
from quarterdeck.media.library.library import Library, Options


def fetch(
    name: EntryName,
    arch: ArchName = None,
    release: Annotated[str | None, typer.Option("--release", metavar="NAME", help="The release.  [default: the newest]")] = None,
    kind: KindName = None,
    unverified: Annotated[
        bool, typer.Option("--unverified", help="Take it although nothing proves that it is the right file; that is recorded.")
    ] = False,
    connections: Annotated[int, typer.Option("--connections", min=1, max=16, metavar="N", help="Connections to one server.")] = 4,
    mirror: Mirror = None,
    catalogue: More = None,
    progress: ProgressMode = Progress.AUTO,
    json: Json = False,
) -> None:
    """Fetch an image into the library, verified and unpacked, and print its path. 'qd run NAME' does this by itself.

    What is there already is not fetched again. An interrupted download goes on where it stopped.
    """
    word, wanted = split(name, release)
    entry = open_catalogue(catalogue).find(word)
    shown = renderer(progress)

    def show(event: Event) -> None:
        shown.show("step" if isinstance(event, Step) else "message", asdict(event))

    job = _Job(entry, arch_of(arch) or host_arch(), wanted, kind, options=Options(unverified=unverified, connections=connections))
    try:
        resolved, image = asyncio.run(job.run(check_mirror(mirror) if mirror else "", show))
    finally:
        shown.close()
    if json:
        print_json({**as_json(resolved), "image": image.to_json()})
    else:
        results.print(str(image.disk), markup=False)


class _Job:
    def __init__(self, entry: Entry, arch: Arch, release: str | None, kind: Kind | None, *, options: Options) -> None:
        self._entry, self._arch, self._release, self._kind = entry, arch, release, kind
        self._options = options

    async def run(self, mirror: str, report: Reporter) -> tuple[ResolvedEntry, LibraryImage]:
        """Find the file and import it."""
        choose_image(self._entry, self._arch, self._kind)  # what cannot be is said before anybody is asked
        async with Http() as http:
            pages = Pages(http, mirror=mirror)
            try:
                report(Step("find", StepStatus.RUNNING, f"asking for the newest {self._entry.title}"))
                resolved = await resolve_entry(
                    self._entry,
                    arch=self._arch,
                    pages=pages,
                    release=self._release,
                    kind=self._kind,
                    unverified=self._options.unverified,
                )
                report(Step("find", StepStatus.DONE, f"{resolved.title} for {resolved.arch}, proved by {resolved.trust}"))
            finally:
                await pages.close()
            return resolved, await Library().obtain_url(resolved.wanted, http=http, report=report, options=self._options)
