"""Checks an image or an index of images as a whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from quarterdeck.build.check.finding import Finding, Key, Severity
from quarterdeck.build.check.image import ImageCheck
from quarterdeck.build.check.memory import LayerMemory
from quarterdeck.build.check.report import CheckedImage, CheckReport
from quarterdeck.build.oci.blobs import Blobs
from quarterdeck.build.oci.digest import VerifyingReader, check_digest
from quarterdeck.build.oci.errors import BadImageError, BlobMissingError
from quarterdeck.build.oci.layout import ImageSource
from quarterdeck.build.oci.model import Descriptor
from quarterdeck.build.oci.read import media_type_of
from quarterdeck.build.oci.strict_json import LARGEST_DOCUMENT
from quarterdeck.build.oci.words import printable
from quarterdeck.build.oci.write import describe
from quarterdeck.build.platform import Platform
from quarterdeck.core.report import Reporter, Step, StepStatus, silent

BASE_NAME = "org.opencontainers.image.base.name"
BASE_DIGEST = "org.opencontainers.image.base.digest"
"""annotations.md of the OCI image specification 1.1: the image that this one stands on."""

BaseLookup = Callable[[str, str], frozenset[Platform] | None]
"""Returns the platforms of a base image by its name (may be empty) and digest; None when it cannot be told."""


def unknown_base(name: str, digest: str) -> None:
    """Know no base image but those that are beside the image."""


@dataclass(frozen=True)
class CheckOptions:
    """What is asked for: ``wanted`` platforms have to be there, ``strict`` forbids all foreign programs, ``base`` finds base images.

    ``memory`` spares the time to unpack layers that were read before.
    """

    wanted: Sequence[Platform] = ()
    strict: bool = False
    base: BaseLookup = unknown_base
    memory: LayerMemory | None = None


DEFAULT_OPTIONS = CheckOptions()


def check_source(source: ImageSource, options: CheckOptions = DEFAULT_OPTIONS, *, report: Reporter = silent) -> CheckReport:
    """Check every image below ``source``: all findings, not only the first.

    Raises:
        BadImageError: the index itself is damaged.
        HostError: a layer cannot be unpacked here.
    """
    entries = list(source.manifests())
    attestations = [entry for entry in entries if entry.attests is not None]
    images = [entry for entry in entries if entry.attests is None]
    findings = [*_about_attestations(attestations, images)]
    checked: list[CheckedImage] = []
    for number, entry in enumerate(images):
        report(Step("check", StepStatus.RUNNING, _title(entry), done=number, total=len(images)))
        image, found = _check_entry(source, entry, options)
        findings += found
        checked += [image] if image is not None else []
    findings += _about_platforms(images, checked, options.wanted)
    report(Step("check", StepStatus.DONE, done=len(images), total=len(images)))
    return CheckReport(source.root.digest, tuple(checked), tuple(findings), len(attestations))


def _title(entry: Descriptor) -> str:
    return str(entry.platform.normal) if entry.platform is not None and not entry.platform.unknown else entry.digest


def _check_entry(source: ImageSource, entry: Descriptor, options: CheckOptions) -> tuple[CheckedImage | None, list[Finding]]:
    """Check one manifest of the index."""
    try:
        if not entry.is_manifest:
            text = f"an entry of the index is no image but of the type {printable(entry.media_type)}"
            return None, [Finding(Key.PLATFORM_UNKNOWN, Severity.WARNING, text, manifest=entry.digest)]
        manifest = source.manifest(entry)
        if not manifest.is_image:
            text = "an entry of the index is no image, and is not marked as an attestation either"
            return None, [Finding(Key.PLATFORM_UNKNOWN, Severity.WARNING, text, manifest=entry.digest)]
        check = ImageCheck(source, entry, manifest, source.config(manifest), strict=options.strict, memory=options.memory)
    except BadImageError as error:
        return None, [Finding(Key.IMAGE_DAMAGED, Severity.ERROR, error.reason, manifest=entry.digest)]
    image = check.run()
    base = list(_about_base(source, check, options.base))
    return image, [*_about_listing(source, entry), *check.findings, *base]


def _about_listing(source: ImageSource, entry: Descriptor) -> Iterator[Finding]:
    if source.root.is_index and (entry.platform is None or entry.platform.unknown):
        hint = "engines cannot choose it; make the index again from the images"
        text = "the index does not say which platform an image is for"
        yield Finding(Key.PLATFORM_UNKNOWN, Severity.ERROR, text, manifest=entry.digest, hint=hint)


def _about_attestations(attestations: Sequence[Descriptor], images: Sequence[Descriptor]) -> Iterator[Finding]:
    held = {image.digest for image in images}
    for one in attestations:
        if one.attests not in held:
            subject = printable(one.attests or "no digest")[:200]
            text = f"an attestation is about {subject}, which is not in the index; it shows as a platform unknown/unknown"
            yield Finding(Key.ATTESTATION_ORPHAN, Severity.WARNING, text, manifest=one.digest)


def _about_platforms(images: Sequence[Descriptor], checked: Sequence[CheckedImage], wanted: Sequence[Platform]) -> Iterator[Finding]:
    if not images:
        yield Finding(Key.INDEX_EMPTY, Severity.ERROR, "there is no image in the index")
    seen: dict[object, str] = {}
    for entry in images:
        if entry.platform is None or entry.platform.unknown:
            continue
        platform = entry.platform.normal
        key = (platform, entry.platform.os_version, entry.platform.os_features)
        if key in seen:
            same = seen[key] == entry.digest
            text = f"{platform} is in the index twice" + (", with the same image" if same else "; engines take the first")
            severity = Severity.WARNING if same else Severity.ERROR
            yield Finding(Key.PLATFORM_DUPLICATE, severity, text, platform, entry.digest)
        seen.setdefault(key, entry.digest)
    listed = {entry.platform.normal for entry in images if entry.platform is not None and not entry.platform.unknown}
    held = listed | {image.platform for image in checked if image.platform is not None}
    for platform in wanted:
        if platform not in held:
            there = ", ".join(sorted(map(str, held))) or "nothing"
            yield Finding(Key.PLATFORM_MISSING, Severity.ERROR, f"there is no image of {platform}, only of {there}", platform)


def _about_base(source: ImageSource, check: ImageCheck, lookup: BaseLookup) -> Iterator[Finding]:
    said = {**check.manifest.annotations, **check.descriptor.annotations}
    name, digest = printable(said.get(BASE_NAME, ""))[:300], said.get(BASE_DIGEST, "")
    if not digest or check.platform is None:
        return
    called = name or digest[:200]
    try:
        platforms = _base_beside(source, check_digest(digest)) or lookup(name, digest)
    except BadImageError as error:
        yield _base_finding(check, Key.BASE_UNKNOWN, Severity.WARNING, f"the base image {printable(called)} is damaged: {error.reason}")
        return
    if platforms is None:
        if lookup is not unknown_base:
            yield _base_finding(check, Key.BASE_UNKNOWN, Severity.WARNING, f"the base image {called} cannot be found")
    elif check.platform not in platforms:
        there = ", ".join(sorted(map(str, platforms)))
        text = f"the image for {check.platform} stands on {called}, which is for {there}"
        yield _base_finding(check, Key.BASE_PLATFORM, Severity.ERROR, text)


def _base_finding(check: ImageCheck, key: Key, severity: Severity, text: str) -> Finding:
    return Finding(key, severity, text, check.platform, check.descriptor.digest)


def _base_beside(source: ImageSource, digest: str) -> frozenset[Platform] | None:
    """Return the platforms of a base image that is among the blobs of the image."""
    try:
        content = _document(source.blobs, digest)
    except BlobMissingError:
        return None
    root = describe(content, media_type_of(content))
    return platforms_of(ImageSource(source.blobs, Descriptor(root.media_type, digest, root.size)))


def platforms_of(source: ImageSource) -> frozenset[Platform]:
    """Return the platforms of an image or index: by the index, or by the configuration of a single image.

    Raises:
        BadImageError: it is damaged.
    """
    if source.root.is_index:
        listed = (entry.platform for entry in source.manifests() if entry.attests is None)
        return frozenset(platform.normal for platform in listed if platform is not None and not platform.unknown)
    platform = source.config(source.manifest()).platform
    return frozenset() if platform.unknown else frozenset({platform.normal})


def _document(blobs: Blobs, digest: str) -> bytes:
    """Return a blob whose size nobody told."""
    with VerifyingReader(blobs.open(digest), digest, None) as reader:
        content = reader.read(LARGEST_DOCUMENT) or b""
        while piece := reader.read(LARGEST_DOCUMENT - len(content) + 1):
            content += piece
            if len(content) > LARGEST_DOCUMENT:
                raise BadImageError("document-too-large", f"{digest} has more than {LARGEST_DOCUMENT} bytes")
        return content
