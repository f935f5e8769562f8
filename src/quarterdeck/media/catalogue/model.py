"""The catalogue's data: entries, their images, and the closed set of rules by which a publisher's newest file is found.

Frozen dataclasses; pydantic validates them at the edge (``load.py``). Texts called *templates* are described in ``template.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, StringConstraints, Tag
from pydantic_core import PydanticCustomError

from quarterdeck.core.arch import find_arch
from quarterdeck.core.size import parse_size
from quarterdeck.errors import UsageError
from quarterdeck.media.catalogue import template
from quarterdeck.media.catalogue.signify_key import decode_key

_STRICT: dict[str, Any] = {"extra": "forbid"}


class Kind(StrEnum):
    """What an entry is."""

    ISO = "iso"
    """An installer or live system."""
    CLOUD = "cloud"
    """A disk that is ready to run and reads a NoCloud seed at its first boot."""
    COREOS = "coreos"
    """A disk that is ready to run and reads an Ignition config at its first boot."""
    BOOTSTRAP = "bootstrap"
    """Made here from the packages of a mirror."""
    INSTEAD = "instead"
    """Nothing that can be fetched; says what to do instead."""


class Firmware(StrEnum):
    """What boots it; ``any`` where both do."""

    ANY = "any"
    UEFI = "uefi"
    BIOS = "bios"


def _template(text: str) -> str:
    if found := template.problems(text):
        raise PydanticCustomError("template", "{problem}", {"problem": "; ".join(found)})
    return text


def _url(text: str) -> str:
    if not text.startswith(("https://", "{")):
        raise PydanticCustomError("url", "must begin with https://")
    return text


def _arches(arches: Mapping[str, str]) -> Mapping[str, str]:
    for name in arches:
        try:
            known = find_arch(name).name
        except UsageError:
            known = ""
        if name != known:
            hint = f"; it is called {known} here" if known else ""
            raise PydanticCustomError("arch", "{problem}", {"problem": f"'{name}' is no architecture{hint}"})
    return arches


def _size(text: object) -> object:
    if not isinstance(text, str):
        return text
    try:
        return parse_size(text)
    except UsageError as error:
        raise PydanticCustomError("size", "{problem}", {"problem": error.message}) from None


def _list(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _fingerprint(text: str) -> str:
    return text.replace(" ", "").upper()


def _signify(text: str) -> str:
    try:
        decode_key(text)
    except ValueError as error:
        raise PydanticCustomError("signify", "{problem}", {"problem": str(error)}) from None
    return text


Text = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=1000)]
Name = Annotated[str, StringConstraints(strict=True, pattern=r"^[a-z0-9]([a-z0-9.+-]{0,38}[a-z0-9+])?$")]
Variable = Annotated[str, StringConstraints(strict=True, pattern=r"^[a-z][a-z0-9_]{0,30}$")]
Template = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=500), AfterValidator(_template)]
UrlTemplate = Annotated[Template, AfterValidator(_url)]
Templates = Annotated[tuple[Template, ...], BeforeValidator(_list), Field(min_length=1)]
Url = Annotated[str, StringConstraints(strict=True, max_length=500, pattern=r"^https://[!-~]+$")]
Bytes = Annotated[int, BeforeValidator(_size), Field(ge=1, le=1 << 50)]
Fingerprint = Annotated[
    str, StringConstraints(strict=True), AfterValidator(_fingerprint), StringConstraints(pattern=r"^([0-9A-F]{40}|[0-9A-F]{64})$")
]
Signature = Annotated[Literal["inline"] | UrlTemplate, Field()]
"""``inline`` for a document that is signed in its own text (OpenPGP cleartext, signify), or the URL of a detached signature over it."""


@dataclass(frozen=True, kw_only=True)
class ListingRule:
    """Names in a page that fit ``match``: a folder's index, a list of files, any page with links; gives the whole name as ``file``."""

    __pydantic_config__: ClassVar[Any] = _STRICT

    listing: UrlTemplate
    match: Templates
    signature: Signature | None = None


@dataclass(frozen=True, kw_only=True)
class SumsRule:
    """Files in a checksum listing that fit ``match``; gives ``file`` and its checksum too."""

    __pydantic_config__: ClassVar[Any] = _STRICT

    sums: UrlTemplate
    match: Templates
    signature: Signature | None = None


@dataclass(frozen=True, kw_only=True)
class DocumentRule:
    """Elements of a JSON or YAML document: those at path ``each`` whose fields fit ``where``; gives the fields that ``take`` names."""

    __pydantic_config__: ClassVar[Any] = _STRICT

    document: UrlTemplate
    form: Literal["json", "yaml"] = "json"
    each: Text = "/"
    where: Mapping[Text, Template] = field(default_factory=dict)
    take: Mapping[Variable, Text] = field(default_factory=dict)
    signature: Signature | None = None


@dataclass(frozen=True, kw_only=True)
class StreamsRule:
    """The newest item of the products of a Simple Streams index whose fields fit ``where``; gives url, sha256, size and build."""

    __pydantic_config__: ClassVar[Any] = _STRICT

    streams: UrlTemplate
    item: Text
    where: Mapping[Text, Template] = field(default_factory=dict)
    signature: Signature | None = None


@dataclass(frozen=True, kw_only=True)
class CoreosRule:
    """The disk of CoreOS stream metadata; gives release, url and sha256."""

    __pydantic_config__: ClassVar[Any] = _STRICT

    coreos: UrlTemplate
    artifact: Text = "qemu"
    form: Text = "qcow2.xz"
    signature: Signature | None = None


@dataclass(frozen=True, kw_only=True)
class RedirectRule:
    """Where a URL redirects to, if that fits ``match``; gives url."""

    __pydantic_config__: ClassVar[Any] = _STRICT

    redirect: UrlTemplate
    match: Templates


RULES: Mapping[str, type] = {
    "listing": ListingRule,
    "sums": SumsRule,
    "document": DocumentRule,
    "streams": StreamsRule,
    "coreos": CoreosRule,
    "redirect": RedirectRule,
}


def _which(rule: object) -> str | None:
    return next((name for name in RULES if name in rule), None) if isinstance(rule, dict) else None


Rule = Annotated[
    Annotated[ListingRule, Tag("listing")]
    | Annotated[SumsRule, Tag("sums")]
    | Annotated[DocumentRule, Tag("document")]
    | Annotated[StreamsRule, Tag("streams")]
    | Annotated[CoreosRule, Tag("coreos")]
    | Annotated[RedirectRule, Tag("redirect")],
    Discriminator(_which, custom_error_type="rule", custom_error_message=f"must have one of {', '.join(RULES)}"),
]


@dataclass(frozen=True, kw_only=True)
class ChecksumRule:
    """A checksum listing that holds the file; ``file`` is its name there, as a rule the last part of its URL."""

    __pydantic_config__: ClassVar[Any] = _STRICT

    sums: UrlTemplate
    file: Template | None = None
    signature: Signature | None = None


@dataclass(frozen=True, kw_only=True)
class Key:
    """An OpenPGP key of the publisher: its full fingerprint, and where the key itself may be.

    ``files`` are keyrings of packages on this host, ``urls`` pages of the publisher. Wherever it comes from, only a key with
    this fingerprint counts.
    """

    __pydantic_config__: ClassVar[Any] = _STRICT

    fingerprint: Fingerprint
    owner: Text
    files: tuple[Text, ...] = ()
    urls: tuple[Url, ...] = ()

    @property
    def id(self) -> str:
        """What people compare."""
        return self.fingerprint


@dataclass(frozen=True, kw_only=True)
class SignifyKey:
    """A public key of signify: the key itself, in base64. It signs lists of checksums; of several, signatures say which one made them."""

    __pydantic_config__: ClassVar[Any] = _STRICT

    signify: Annotated[str, StringConstraints(strict=True), AfterValidator(_signify)]
    owner: Text

    @property
    def id(self) -> str:
        """What people compare."""
        return self.signify


def _which_key(key: object) -> str:
    return "signify" if isinstance(key, dict) and "signify" in key else "openpgp"


AnyKey = Annotated[Annotated[Key, Tag("openpgp")] | Annotated[SignifyKey, Tag("signify")], Discriminator(_which_key)]


@dataclass(frozen=True, kw_only=True)
class Login:
    """Who can log in: the live system's user, or the one that the seed is for; the password is empty where none or no one is set."""

    __pydantic_config__: ClassVar[Any] = _STRICT

    user: Text
    password: Annotated[str, Field(strict=True)] = ""


@dataclass(frozen=True, kw_only=True)
class Image:
    """How the file for some architectures is found: the rules of ``find`` in their order, then ``url``, then what proves it.

    ``arches`` maps our names to the publisher's, which is the variable ``arch``. ``releases`` are rows of variables, newest
    first, for publishers that no rule can ask. ``signature`` is a detached OpenPGP signature over the file itself.
    """

    __pydantic_config__: ClassVar[Any] = _STRICT

    arches: Annotated[Mapping[Text, Text], AfterValidator(_arches), Field(min_length=1)]
    find: tuple[Rule, ...] = ()
    releases: tuple[Mapping[Variable, Text], ...] = ()
    url: UrlTemplate = "{url}"
    mirrors: tuple[UrlTemplate, ...] = ()
    checksum: ChecksumRule | None = None
    signature: UrlTemplate | None = None
    kind: Kind | None = None
    login: Login | None = None
    firmware: Firmware | None = None


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One name of the catalogue. ``memory`` and ``disk`` are the least that it needs, in bytes.

    ``instead_on`` maps our names of architectures that people ask for in vain to what they can do instead.
    ``source`` are the public pages that its rules come from, ``checked`` the day of the last check against the publisher's real
    site, None when there was none yet.
    """

    __pydantic_config__: ClassVar[Any] = _STRICT

    name: Name
    title: Text
    kind: Kind
    source: tuple[Url, ...]
    home: Url | None = None
    aliases: tuple[Name, ...] = ()
    images: tuple[Image, ...] = ()
    keys: tuple[AnyKey, ...] = ()
    login: Login | None = None
    memory: Bytes | None = None
    disk: Bytes | None = None
    firmware: Firmware = Firmware.ANY
    notes: tuple[Text, ...] = ()
    instead_on: Annotated[Mapping[Text, Text], AfterValidator(_arches)] = field(default_factory=dict)
    instead: Text | None = None
    checked: Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}$")] | None = None

    @property
    def openpgp_keys(self) -> tuple[Key, ...]:
        """The keys that can have signed a file itself."""
        return tuple(key for key in self.keys if isinstance(key, Key))

    @property
    def arches(self) -> tuple[str, ...]:
        """Our names of the architectures that it is there for; empty where that is not a matter of files."""
        return tuple(dict.fromkeys(arch for image in self.images for arch in image.arches))

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """What its images are; one kind, as a rule."""
        return tuple(dict.fromkeys(image.kind or self.kind for image in self.images)) or (self.kind,)
