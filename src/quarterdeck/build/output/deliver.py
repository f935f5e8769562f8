"""Brings a finished image to its places."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from quarterdeck.build.check.report import CheckReport
from quarterdeck.build.oci.layout import ImageSource, Layout
from quarterdeck.build.oci.merge import named_roots, single
from quarterdeck.build.oci.reference import Reference
from quarterdeck.build.oci.store import write_layout
from quarterdeck.build.oci.transfer import push
from quarterdeck.build.oci.write_archive import Ready, at_once, write_archive, write_docker_archive
from quarterdeck.build.output.destination import Destination, Kind
from quarterdeck.build.output.load import load
from quarterdeck.build.platform import Platform
from quarterdeck.core.report import Reporter, Step, StepStatus, silent
from quarterdeck.errors import TargetError


@dataclass(frozen=True)
class Product:
    """A finished image: ``source`` is an index when it has ``platforms``, of which ``names`` are the names.

    ``repack`` says that its layers are not packed yet, so that a registry gets them packed and under other digests.
    """

    source: ImageSource
    platforms: tuple[Platform, ...]
    names: tuple[str, ...] = ()
    repack: bool = False


@dataclass(frozen=True)
class Delivery:
    """Where the image is now: ``text`` in one line, ``digest`` as that place has it, empty where it has none."""

    kind: Kind
    text: str
    digest: str = ""


async def deliver(
    product: Product, places: Sequence[Destination], *, proof: Future[CheckReport] | None = None, report: Reporter = silent
) -> tuple[Delivery, ...]:
    """Bring ``product`` to each place, one after the other; archives are written while ``proof`` goes on, and appear when it ended well.

    Raises:
        QuarterdeckError: the proof's.
        TargetError: a registry or engine refused it.
        HostError: a program is missing, or a file cannot be written.
    """
    done: list[Delivery] = []
    for place in places:
        names = place.names or product.names
        if proof is not None and place.kind not in (Kind.OCI_ARCHIVE, Kind.DOCKER_ARCHIVE):
            await asyncio.wrap_future(proof)
        if place.kind is Kind.REGISTRY:
            try:
                done += [await _push(product, name, report) for name in names]
            except TargetError as error:
                raise await asyncio.to_thread(_kept, product, names, error) from error
        elif place.kind is Kind.ENGINE:
            done += [Delivery(Kind.ENGINE, text) for text in await load(product.source, product.platforms, names)]
        else:
            done.append(await asyncio.to_thread(_write, product, place, names, at_once if proof is None else proof.result))
    return tuple(done)


def _kept(product: Product, names: Sequence[str], error: TargetError) -> TargetError:
    """Keep an image that a registry refused as an archive in this folder, so that nothing has to be built again."""
    reference = Reference.parse(names[0]).with_default_tag()
    path = Path(f"{reference.path.rpartition('/')[2]}-{product.source.root.digest.partition(':')[2][:12]}.oci.tar")
    try:
        write_archive(Layout(product.source.blobs, named_roots(product.source.root)), path)
    except OSError:
        return error  # this folder may not be written, which is no news beside what went wrong
    again = shlex.join(["skopeo", "copy", "--all", f"oci-archive:{path}", f"docker://{reference}"])
    return TargetError(
        error.key, error.message, reason=error.reason, hint="; ".join(filter(None, (error.hint, f"the image is kept, push it by: {again}")))
    )


async def _push(product: Product, name: str, report: Reporter) -> Delivery:
    reference = Reference.parse(name).with_default_tag()
    report(Step("push", StepStatus.RUNNING, str(reference)))
    digest = await push(product.source, reference, preserve=not product.repack, report=report)
    report(Step("push", StepStatus.DONE, str(reference)))
    return Delivery(Kind.REGISTRY, f"pushed {reference.familiar}@{digest}", digest)


def _write(product: Product, place: Destination, names: Sequence[str], ready: Ready) -> Delivery:
    path = place.path or Path()
    layout = Layout(product.source.blobs, named_roots(product.source.root, names))
    if place.kind is Kind.OCI_FOLDER:
        write_layout(layout, path)
    elif place.kind is Kind.DOCKER_ARCHIVE:
        full = [str(Reference.parse(name).with_default_tag()) for name in names]
        write_docker_archive(single(product.source, product.platforms[0]), path, names=full, ready=ready)
    else:
        write_archive(layout, path, ready=ready)
    return Delivery(place.kind, f"written to {path} ({place.kind.value})", product.source.root.digest)
