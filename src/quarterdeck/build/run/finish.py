"""From the archives of single platforms to one image that was looked at."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from quarterdeck.build.check.check import CheckOptions, check_source
from quarterdeck.build.check.finding import Severity
from quarterdeck.build.check.memory import LayerMemory
from quarterdeck.build.check.report import CheckReport
from quarterdeck.build.engines.request import ArchiveFormat
from quarterdeck.build.oci.layout import ImageSource
from quarterdeck.build.oci.merge import merge, single
from quarterdeck.build.oci.open_image import open_image
from quarterdeck.build.output.deliver import Product
from quarterdeck.build.run.crew import Built
from quarterdeck.core.report import Reporter, silent
from quarterdeck.errors import QuarterdeckError


@dataclass(frozen=True)
class Wishes:
    """What becomes of the merged image: its names, annotations of its index, and whether attestations of the engines come along."""

    names: tuple[str, ...] = ()
    annotations: Mapping[str, str] | None = None
    attestations: bool = True


def join(built: Sequence[Built], wishes: Wishes, *, stack: contextlib.ExitStack) -> Product:
    """Return the image that all platforms make together; what it reads from stays open as long as ``stack``.

    One platform alone stays one image without an index around it, unless attestations belong to it.

    Raises:
        BadImageError: an archive is damaged, or holds another platform than it was built for.
    """
    sources = {one.platform: stack.enter_context(open_image(one.result.path)).source() for one in built}
    repack = any(one.result.format is ArchiveFormat.DOCKER for one in built)
    platforms = tuple(sources)
    source = _alone(sources[platforms[0]], built[0], wishes) if len(built) == 1 else None
    if source is None:
        source = merge(sources, attestations=wishes.attestations, annotations=wishes.annotations or {}, names=()).source()
    return Product(source, platforms, wishes.names, repack)


def _alone(source: ImageSource, built: Built, wishes: Wishes) -> ImageSource | None:
    attested = wishes.attestations and any(one.attests is not None for one in source.manifests())
    return None if attested or wishes.annotations else single(source, built.platform)


def look_ahead(built: Built) -> None:
    """Read the layers of one platform while others are still built: :func:`prove` finds them known, and says what is wrong with them."""
    with contextlib.suppress(QuarterdeckError), open_image(built.result.path) as layout:
        check_source(layout.source(), CheckOptions(memory=LayerMemory.of_user()))


def prove(product: Product, *, report: Reporter = silent) -> CheckReport:
    """Look at every program in the image.

    Raises:
        QuarterdeckError: one of them is for another platform than the image that it is in.
    """
    checked = check_source(product.source, CheckOptions(wanted=product.platforms, memory=LayerMemory.of_user()), report=report)
    errors = [finding for finding in checked.findings if finding.severity is Severity.ERROR]
    if errors:
        lines = [f"{finding.platform or ''} {finding.path or ''}: {finding.text}".strip() for finding in errors[:20]]
        hint = "'qd plan' shows what each stage is built for; --no-check takes the image as it is"
        raise QuarterdeckError("image-wrong", "the image is not what it says it is, and goes nowhere", reason="\n".join(lines), hint=hint)
    return checked
