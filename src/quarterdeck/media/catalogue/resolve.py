"""From an entry to one file: its URL, release and size, and what proves that it is the right one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from quarterdeck.core.arch import Arch
from quarterdeck.errors import MediaError, QuarterdeckError, UsageError
from quarterdeck.media.catalogue import keys, template
from quarterdeck.media.catalogue.extract import sums
from quarterdeck.media.catalogue.model import Entry, Firmware, Image, Key, Kind, Login, RedirectRule, SignifyKey
from quarterdeck.media.catalogue.pages import Pages
from quarterdeck.media.catalogue.rules import RuleError, Worker
from quarterdeck.media.fetch.model import Checksum, Detached, Wanted
from quarterdeck.provision.kind import Provisioning

_PROVISIONING = {Kind.CLOUD: Provisioning.CLOUD_INIT, Kind.COREOS: Provisioning.IGNITION}
_CHECKSUMS = ("sha512", "sha256", "sha1", "md5")


class Trust(StrEnum):
    """What proves a file."""

    SIGNATURE = "signature"
    """A signature of the publisher (OpenPGP, signify), over the file or over the list that its checksum stands in."""
    CHECKSUM = "checksum"
    """A checksum from a page of the publisher; trusted because it came over HTTPS."""
    WEAK = "weak checksum"
    """A checksum that guards against accidents only (MD5, SHA-1)."""
    NONE = "nothing"


@dataclass(frozen=True, kw_only=True)
class ResolvedEntry:
    """One file of an entry, and what the entry says of it. ``arch`` is our name; ``memory`` and ``disk`` are bytes, the least it needs."""

    entry: Entry
    kind: Kind
    arch: str
    release: str
    wanted: Wanted
    trust: Trust
    login: Login | None
    firmware: Firmware
    provisioning: Provisioning
    memory: int | None
    disk: int | None

    @property
    def url(self) -> str:
        """The place that is tried first."""
        return self.wanted.urls[0]

    @property
    def title(self) -> str:
        """What people call it, such as ``Linux Mint 22.2``."""
        return f"{self.entry.title} {self.release}".strip()


@dataclass(frozen=True)
class _Proof:
    """The page that the checksum stands in, and who signed that."""

    page: str
    signer: Key | SignifyKey | None = None


async def resolve_entry(
    entry: Entry, *, arch: Arch, pages: Pages, release: str | None = None, kind: Kind | None = None, unverified: bool = False
) -> ResolvedEntry:
    """Return the newest file of ``entry``, or that of ``release``, for ``arch``.

    ``unverified`` leaves signatures of listings unchecked; checksums are still taken from them.

    Raises:
        UsageError: the entry has no such file: architecture, kind or release; or there is something to do instead.
        MediaError: the publisher's pages do not hold what the rules look for, or are not signed as they should be.
        HostError: gpgv is not installed.
    """
    image = choose_image(entry, arch, kind)
    worker = Worker(entry, pages, unverified)
    values = _begin(entry, image, arch=arch, release=release)
    proof = _Proof("")
    for rule in image.find:
        try:
            outcome = await worker.apply(rule, values)
        except RuleError as error:
            raise _no_release(entry, release, worker.offered) if release and worker.offered else error from error
        values.update({name: value for name, value in outcome.values.items() if value})
        if _named_checksum(outcome.values) is not None:
            proof = _Proof(outcome.url, outcome.signer)
    if release and values.get("release", release) != release and release not in values.values():
        raise _no_release(entry, release, [values["release"]])
    return await _finish(worker, image, values=values, proof=proof, arch=arch)


def choose_image(entry: Entry, arch: Arch, kind: Kind | None) -> Image:
    """Return the image of ``entry`` for an architecture, of one kind if that matters.

    Raises:
        UsageError: it has none.
    """
    if entry.kind is Kind.INSTEAD:
        raise UsageError(
            "not-offered", f"{entry.title} cannot be fetched", reason="its publisher does not allow it", hint=entry.instead or ""
        )
    if entry.kind is Kind.BOOTSTRAP:
        raise UsageError(
            "not-a-file", f"{entry.title} is made here from packages, there is no file to fetch", hint=f"start it: qd run {entry.name}"
        )
    fitting = [image for image in entry.images if kind is None or (image.kind or entry.kind) is kind]
    if not fitting:
        raise UsageError("no-such-kind", f"{entry.name} has no image of kind {kind}", hint=f"it has {', '.join(entry.kinds)}")
    for image in fitting:
        if arch.name in image.arches:
            return image
    hint = entry.instead_on.get(arch.name) or f"it is for {', '.join(entry.arches)}: add --arch"
    raise UsageError("arch-not-offered", f"{entry.title} is not published for {arch.name}", hint=hint)


def trust_of(image: Image) -> Trust:
    """Return what will prove the file of ``image``, as far as the rules tell."""
    signed = [rule for rule in image.find if not isinstance(rule, RedirectRule) and rule.signature and not _only_names(rule)]
    if image.signature or signed or (image.checksum and image.checksum.signature):
        return Trust.SIGNATURE
    given = any(not isinstance(rule, RedirectRule) and not _only_names(rule) for rule in image.find)
    return Trust.CHECKSUM if given or image.checksum else Trust.NONE


def _only_names(rule: object) -> bool:
    """Whether a rule gives no checksum."""
    where = getattr(rule, "take", None)
    if where is not None:
        return not any(name in where for name in (*_CHECKSUMS, "checksum"))
    return not hasattr(rule, "sums") and not hasattr(rule, "streams") and not hasattr(rule, "coreos")


def _begin(entry: Entry, image: Image, *, arch: Arch, release: str | None) -> dict[str, str]:
    values = {"arch": image.arches[arch.name]}
    if image.releases:
        rows = [row for row in image.releases if release is None or release.lower() in (value.lower() for value in row.values())]
        if not rows:
            raise _no_release(entry, release or "", [row.get("release", "") for row in image.releases])
        return {**values, **rows[0]}
    if release is None:
        return values
    if not any("release" in template.names(pattern) for pattern in _patterns(image)):
        raise UsageError("no-releases", f"{entry.name} has no releases to choose from", hint=f"leave out the release: {entry.name}")
    return {**values, "release": release}


def _patterns(image: Image) -> list[str]:
    found = [image.url]
    for rule in image.find:
        found.extend(getattr(rule, "match", ()))
        found.extend(getattr(rule, "where", {}).values())
        found.extend(str(getattr(rule, name, "")) for name in ("listing", "sums", "document", "streams", "redirect"))
        found.extend(["{release}"] if hasattr(rule, "coreos") else [])
    return found


async def _finish(worker: Worker, image: Image, *, values: dict[str, str], proof: _Proof, arch: Arch) -> ResolvedEntry:
    entry = worker.entry
    url = worker.fill(image.url, values, rule="url")
    urls = (url, *(worker.fill(mirror, values, rule="mirrors") for mirror in image.mirrors))
    values["url"] = url
    checksum = _named_checksum(values)
    if image.checksum is not None:
        checksum, proof = await _listed_checksum(worker, image, values)
    detached = await _detached(worker, image, values)
    trust = _trust(checksum, signed=proof.signer is not None or detached is not None)
    wanted = Wanted(
        urls=_places(worker, urls),
        size=int(values["size"]) if values.get("size", "").isdigit() else None,
        checksum=checksum,
        signature=detached,
        origin=_origin(worker, image, proof),
    )
    kind = image.kind or entry.kind
    return ResolvedEntry(
        entry=entry,
        kind=kind,
        arch=arch.name,
        release=values.get("version") or values.get("release", ""),
        wanted=wanted,
        trust=trust,
        login=image.login or entry.login,
        firmware=image.firmware or entry.firmware,
        provisioning=_PROVISIONING.get(kind, Provisioning.NONE),
        memory=entry.memory,
        disk=entry.disk,
    )


def _origin(worker: Worker, image: Image, proof: _Proof) -> str:
    if worker.unverified and trust_of(image) is Trust.SIGNATURE:
        return f"{proof.page or 'the file'}, whose signature was not checked"
    return f"{proof.page}, signed by {proof.signer.owner} ({proof.signer.id})" if proof.signer else proof.page


def _places(worker: Worker, urls: tuple[str, ...]) -> tuple[str, ...]:
    try:
        return tuple(worker.pages.place(url) for url in urls)
    except QuarterdeckError as error:
        raise RuleError(worker.entry.name, "url", url=urls[0], problem=error.message, cause=error.key) from None


def _named_checksum(values: Mapping[str, str]) -> Checksum | None:
    """The checksum among values that a rule found; a malformed one counts as none."""
    texts = [values["checksum"]] if "checksum" in values else []
    texts += [f"{name}:{values[name]}" for name in _CHECKSUMS if name in values]
    for text in texts:
        try:
            return Checksum.parse(text)
        except UsageError:
            continue
    return None


async def _listed_checksum(worker: Worker, image: Image, values: dict[str, str]) -> tuple[Checksum, _Proof]:
    rule = image.checksum
    assert rule is not None
    url = worker.fill(rule.sums, values, rule="checksum")
    text, signer = await worker.read(url, rule.signature, rule="checksum", values={**values, "sums": url})
    file = worker.fill(rule.file, values, rule="checksum") if rule.file else values["url"].partition("?")[0].rpartition("/")[2]
    checksum = sums.choose(sums.parse(text), file)
    if checksum is None:
        raise RuleError(worker.entry.name, "checksum", url=url, problem=f"there is no checksum of {file}")
    return checksum, _Proof(url, signer)


async def _detached(worker: Worker, image: Image, values: Mapping[str, str]) -> Detached | None:
    """The signature over the file, with the key that it needs; what is to be fetched without proof needs none."""
    if image.signature is None or worker.unverified:
        return None
    url = worker.fill(image.signature, values, rule="signature")
    problems = []
    for key in worker.entry.openpgp_keys:
        try:
            return Detached(worker.pages.place(url), key.fingerprint, await keys.find_key(key, worker.pages))
        except MediaError as error:
            problems.append(error)
    raise RuleError(worker.entry.name, "signature", url=url, problem=problems[0].message, cause=problems[0].key) from problems[0]


def _trust(checksum: Checksum | None, *, signed: bool) -> Trust:
    if signed:
        return Trust.SIGNATURE
    if checksum is None:
        return Trust.NONE
    return Trust.WEAK if checksum.weak else Trust.CHECKSUM


def _no_release(entry: Entry, release: str, offered: list[str]) -> UsageError:
    hint = f"there are {', '.join(name for name in offered if name)}" if offered else ""
    return UsageError("unknown-release", f"{entry.title} has no release '{release}' there", hint=hint)
