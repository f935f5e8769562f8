"""Rules carried out: a page is read, its signature checked, and the newest of what it offers chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self, assert_never

from quarterdeck.errors import MediaError, QuarterdeckError
from quarterdeck.media.catalogue import keys, signify, template
from quarterdeck.media.catalogue.extract import coreos, document, listing, streams, sums
from quarterdeck.media.catalogue.extract.document import NotADocument
from quarterdeck.media.catalogue.model import (
    CoreosRule,
    DocumentRule,
    Entry,
    Key,
    ListingRule,
    RedirectRule,
    Rule,
    SignifyKey,
    StreamsRule,
    SumsRule,
)
from quarterdeck.media.catalogue.pages import Pages
from quarterdeck.media.catalogue.version import version_key

_SHOWN = 8
_LARGEST_LISTING = 8 << 20
_ON_THE_WAY = frozenset(
    {"host-unknown", "host-unreachable", "download-stalled", "connection-broken", "proxy-refused", "proxy-unreachable", "tls-untrusted"}
)
"""Keys of errors that say nothing about the publisher's pages."""


class RuleError(MediaError):
    """A publisher's page does not hold what a rule of the catalogue looks for."""

    def __init__(self, entry: str, rule: str, *, url: str, problem: str, cause: str = "", hint: str = "") -> None:
        super().__init__(
            cause or "catalogue-rule-failed",
            f"{entry}: {problem}",
            reason=f"rule '{rule}' at {url}",
            hint=hint or "the publisher may have moved it: 'qd catalogue check' looks again, an entry of your own replaces the rule",
        )

    @classmethod
    def of(cls, entry: str, rule: str, *, url: str, error: MediaError) -> Self:
        """Return the error of a page that could not be had. What stands between us and the publisher is not the publisher's fault."""
        problem = f"{error.message}{': ' if error.reason else ''}{error.reason}"
        return cls(entry, rule, url=url, problem=problem, cause=error.key, hint=error.hint if error.key in _ON_THE_WAY else "")


@dataclass(frozen=True)
class Outcome:
    """What a rule found: values of variables, the page, and the key that signed it (None: it is only trusted because of HTTPS)."""

    values: Mapping[str, str]
    url: str = ""
    signer: Key | SignifyKey | None = None


@dataclass(frozen=True)
class Worker:
    """Carries out the rules of one entry; ``unverified`` leaves signatures unchecked."""

    entry: Entry
    pages: Pages
    unverified: bool = False
    offered: list[str] = field(default_factory=list)
    """The releases that the last rule saw, newest first, when it did not find the one that was asked for."""

    async def apply(self, rule: Rule, values: Mapping[str, str]) -> Outcome:
        """Return what ``rule`` finds for what is known already.

        Raises:
            RuleError: nothing, or what cannot be read.
            HostError: gpgv is not installed.
        """
        if isinstance(rule, DocumentRule) and not rule.take and _known_already(rule, values):
            return Outcome({})
        name, pattern = _source(rule)
        url = self.fill(pattern, values, rule=name)
        if isinstance(rule, RedirectRule):
            return self._chosen(rule, await self._redirected(rule, url, values), values=values, url=url)
        text, signer = await self.read(url, rule.signature, rule=name, values=values)
        try:
            found = _extract(rule, text, values=values, url=url)
            if not found and "release" in values:
                self._offer(rule, text, values=values, url=url)
        except NotADocument as error:
            raise RuleError(self.entry.name, name, url=url, problem=str(error)) from None
        outcome = self._chosen(rule, found, values=values, url=url)
        return Outcome(outcome.values, url, signer)

    async def read(self, url: str, signature: str | None, *, rule: str, values: Mapping[str, str]) -> tuple[str, Key | SignifyKey | None]:
        """Return the text of a page and the key that signed it.

        Raises:
            RuleError: it cannot be had, or its signature is not good.
            HostError: gpgv is not installed.
        """
        try:
            page = await self.pages.read(url)
            if signature is None or (self.unverified and signature != "inline"):
                return page.text, None
            if self.unverified:
                return _inside(page.body), None
            detached = None if signature == "inline" else (await self.pages.read(self.fill(signature, values, rule=rule))).body
            body, key = await keys.check_signed(page.body, detached, keys=self.entry.keys, pages=self.pages)
        except MediaError as error:
            raise RuleError.of(self.entry.name, rule, url=url, error=error) from error
        return body.decode(errors="replace"), key

    def fill(self, pattern: str, values: Mapping[str, str], *, rule: str) -> str:
        """Return a template filled.

        Raises:
            RuleError: a value is not known.
        """
        try:
            return template.fill(pattern, values)
        except QuarterdeckError as error:
            raise RuleError(self.entry.name, rule, url=pattern, problem=error.message) from None

    async def _redirected(self, rule: RedirectRule, url: str, values: Mapping[str, str]) -> list[dict[str, str]]:
        try:
            end = await self.pages.end(url)
        except MediaError as error:
            raise RuleError.of(self.entry.name, "redirect", url=url, error=error) from error
        plain = end.partition("?")[0]
        found = [bound for pattern in rule.match if (bound := template.match(pattern, plain, values)) is not None]
        return [{**found[0], "url": end}] if found else []

    def _chosen(self, rule: Rule, found: Sequence[Mapping[str, str]], *, values: Mapping[str, str], url: str) -> Outcome:
        if not found:
            name, _ = _source(rule)
            raise RuleError(self.entry.name, name, url=url, problem=f"nothing there fits {_sought(rule, values)}")
        order = _order(rule)
        return Outcome(max(found, key=lambda candidate: [version_key(candidate.get(name, "")) for name in order]))

    def _offer(self, rule: Rule, text: str, *, values: Mapping[str, str], url: str) -> None:
        others = _extract(rule, text, values={name: value for name, value in values.items() if name != "release"}, url=url)
        releases = {candidate["release"] for candidate in others if "release" in candidate}
        self.offered[:] = sorted(releases, key=version_key, reverse=True)[:_SHOWN]


def _source(rule: Rule) -> tuple[str, str]:
    match rule:
        case ListingRule():
            return "listing", rule.listing
        case SumsRule():
            return "sums", rule.sums
        case DocumentRule():
            return "document", rule.document
        case StreamsRule():
            return "streams", rule.streams
        case CoreosRule():
            return "coreos", rule.coreos
        case RedirectRule():
            return "redirect", rule.redirect
        case _:
            assert_never(rule)


def _extract(rule: Rule, text: str, *, values: Mapping[str, str], url: str) -> list[dict[str, str]]:
    match rule:
        case ListingRule():
            if len(text) > _LARGEST_LISTING:
                raise NotADocument(f"has more than {_LARGEST_LISTING >> 20} MiB")
            return listing.find(text, rule.match, values)
        case SumsRule():
            return _in_sums(text, rule.match, values)
        case DocumentRule():
            return document.find(document.parse(text, rule.form), rule.each, where=rule.where, take=rule.take, values=values)
        case StreamsRule():
            found = streams.find(document.parse(text, "json"), rule.item, where=rule.where, values=values)
            return [{**each, "url": f"{streams.base(url)}/{each['url']}"} for each in found]
        case CoreosRule():
            return coreos.find(document.parse(text, "json"), values.get("arch", ""), artifact=rule.artifact, form=rule.form)
        case RedirectRule():
            return []
        case _:
            assert_never(rule)


def _in_sums(text: str, patterns: Sequence[str], values: Mapping[str, str]) -> list[dict[str, str]]:
    entries = sums.parse(text)
    files = list(dict.fromkeys(entry.file for entry in entries))
    for pattern in patterns:
        found = [(file, bound) for file in files if (bound := template.match(pattern, file, values)) is not None]
        if found:
            return [{**bound, "file": file, "checksum": str(sums.choose(entries, file))} for file, bound in found]
    return []


def _known_already(rule: DocumentRule, values: Mapping[str, str]) -> bool:
    """Whether there is nothing to learn: such rules find the newest release, and another one was asked for."""
    return all(name in values for pattern in rule.where.values() for name in template.names(pattern))


def _order(rule: Rule) -> tuple[str, ...]:
    patterns: Sequence[Any] = ()
    if isinstance(rule, (ListingRule, SumsRule, RedirectRule)):
        patterns = rule.match
    elif isinstance(rule, (DocumentRule, StreamsRule)):
        patterns = tuple(rule.where.values())
    return (*dict.fromkeys(name for pattern in patterns for name in template.names(pattern)), "build")


def _sought(rule: Rule, values: Mapping[str, str]) -> str:
    match rule:
        case ListingRule() | SumsRule() | RedirectRule():
            return " or ".join(f"'{_known(pattern, values)}'" for pattern in rule.match)
        case DocumentRule() | StreamsRule():
            return ", ".join(f"{path} '{_known(pattern, values)}'" for path, pattern in rule.where.items()) or "the rule"
        case CoreosRule():
            return f"architecture {values.get('arch', '')}, {rule.artifact}, {rule.form}"
        case _:
            assert_never(rule)


def _known(pattern: str, values: Mapping[str, str]) -> str:
    """The template with what is known filled in, the rest as it stands."""
    for name in template.names(pattern):
        if name in values:
            for form in ("", *(f":{form}" for form in template.FORMS)):
                pattern = pattern.replace(f"{{{name}{form}}}", values[name])
    return pattern


def _inside(body: bytes) -> str:
    """The text inside a signature, not verified: one of signify, or a cleartext signature (RFC 9580, 7)."""
    if signify.is_signature(body):
        return signify.inside(body).decode(errors="replace")
    text = body.decode(errors="replace")
    _, begun, rest = text.partition("-----BEGIN PGP SIGNED MESSAGE-----")
    inside = rest.partition("-----BEGIN PGP SIGNATURE-----")[0] if begun else text
    return "\n".join(line.removeprefix("- ") for line in inside.splitlines())
