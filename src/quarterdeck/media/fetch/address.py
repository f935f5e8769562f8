"""Which URLs may be asked, and where a redirect may lead.

A redirect may not leave http and https, may not fall back from https to http where the page itself is trusted, and
may not lead from another host to this one or to a private network: a server far away has no business naming those.
Only addresses written as such (and ``localhost``) count. A name is not resolved for this: companies give their mirrors
public names with private addresses, and the user's own word for a private address is always good.
"""

from __future__ import annotations

import ipaddress

from yarl import URL

from quarterdeck.errors import MediaError, UsageError


def parse_url(text: str) -> URL:
    """Return the http or https URL that ``text`` is.

    Raises:
        UsageError: it is none.
    """
    try:
        url = URL(text)
    except (ValueError, TypeError) as error:
        raise UsageError("invalid-url", f"'{text}' is not a URL", reason=str(error)) from None
    if url.scheme not in ("http", "https") or not url.host:
        raise UsageError("invalid-url", f"'{shown(url)}' is not an http or https URL", hint="write it as https://HOST/PATH")
    return url.with_fragment(None)


def shown(url: URL | str) -> str:
    """Return the URL as messages and records may show it: without user and password."""
    try:
        return str(URL(url).with_user(None))
    except (ValueError, TypeError):
        return str(url)


def is_loopback(url: URL) -> bool:
    """Whether the URL names this host."""
    host = (url.host or "").rstrip(".").lower()
    address = _address(host)
    return host == "localhost" or host.endswith(".localhost") or (address is not None and address.is_loopback)


def check_encrypted(url: URL) -> None:
    """Refuse http, unless it is this host.

    Raises:
        MediaError: anybody on the way could change what comes.
    """
    if url.scheme != "https" and not is_loopback(url):
        raise MediaError(
            "url-not-encrypted",
            f"{shown(url)} is not encrypted",
            reason="what it says is trusted, and anybody on the way could change it",
            hint="use an https URL",
        )


def follow(before: URL, location: str, *, plain: bool) -> URL:
    """Return where a redirect leads.

    ``plain`` allows http: what comes is verified in another way.

    Raises:
        MediaError: it may not lead there.
    """
    try:
        after = before.join(URL(location)).with_fragment(None)
    except (ValueError, TypeError):
        raise _refused(before, location, "that is not a URL") from None
    if after.scheme not in ("http", "https") or not after.host:
        raise _refused(before, location, "only http and https are followed")
    if after.scheme == "http" and not plain and not is_loopback(after):
        raise _refused(before, location, "it is not encrypted any more")
    if _is_private(after) and not _is_private(before):
        raise _refused(before, location, "it is an address of this host or of a private network")
    return after


def _refused(before: URL, location: str, why: str) -> MediaError:
    return MediaError(
        "redirect-refused",
        f"{shown(before)} redirects to {shown(location)[:300]}, which is not followed",
        reason=why,
        hint="if you trust that place, name it yourself",
    )


def _is_private(url: URL) -> bool:
    address = _address(url.host or "")
    return is_loopback(url) or (address is not None and not address.is_global)


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
