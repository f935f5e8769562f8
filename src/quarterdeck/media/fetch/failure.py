"""Why a request failed, in words, and whether trying again can help."""

from __future__ import annotations

import email.utils
import socket
import ssl
import time
from collections.abc import Mapping

import aiohttp
from yarl import URL

from quarterdeck.errors import MediaError
from quarterdeck.media.fetch.address import shown

_LONGEST_WAIT = 60.0
_TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})
_MEANINGS = {
    401: "it wants a login",
    403: "it refuses access to it",
    404: "there is nothing of that name",
    407: "the proxy wants a login",
    410: "it was removed",
    429: "too many requests",
    451: "it may not be offered for legal reasons",
}
_HINTS = {
    401: "put user and password into ~/.netrc",
    403: "the server may refuse your network or want a login; try another mirror",
    404: "check the URL; publishers remove old releases",
    407: "put user and password into the proxy variable: http://USER:PASSWORD@HOST:PORT",
    410: "check the URL; publishers remove old releases",
}


class FetchError(MediaError):
    """A request that failed; ``transient`` when the same request may work later, ``wait`` the seconds that the server asked for."""

    def __init__(self, key: str, message: str, *, reason: str = "", hint: str = "", transient: bool = False, wait: float = 0.0) -> None:
        super().__init__(key, message, reason=reason, hint=hint)
        self.transient = transient
        self.wait = wait


def of_status(url: URL, status: int, headers: Mapping[str, str]) -> FetchError:
    """Return the error that an HTTP status is."""
    meaning = _MEANINGS.get(status, "the server has a problem" if status >= 500 else "that is no answer to a download")
    return FetchError(
        f"http-{status}",
        f"{shown(url)} cannot be had",
        reason=f"HTTP status {status}: {meaning}",
        hint=_HINTS.get(status, "try again later, or another mirror"),
        transient=status in _TRANSIENT,
        wait=_retry_after(headers.get("Retry-After", "")),
    )


def of_exception(url: URL, error: Exception) -> FetchError:
    """Return the error that an exception of aiohttp or of the operating system is."""
    host = url.host or ""
    if (proxy := _proxy_error(error)) is not None:
        return proxy
    if isinstance(error, (aiohttp.ClientConnectorDNSError, socket.gaierror)):
        hint = "check the name and the network; behind a proxy, set https_proxy"
        return FetchError("host-unknown", f"the host {host} cannot be found", reason=_words(error), hint=hint, transient=True)
    if (tls := _tls_error(host, error)) is not None:
        return tls
    if isinstance(error, aiohttp.ClientConnectorError):
        hint = "check the network; behind a proxy, set https_proxy"
        return FetchError("host-unreachable", f"{host} cannot be reached", reason=_words(error), hint=hint, transient=True)
    if isinstance(error, TimeoutError):
        return FetchError("download-stalled", f"{host} stopped answering", hint="try again later, or another mirror", transient=True)
    if isinstance(error, (aiohttp.InvalidURL, ValueError)):
        return FetchError(
            "invalid-url", f"{shown(url)} cannot be asked", reason=_words(error), hint="check the URL and the proxy variables"
        )
    hint = "run it again: it goes on where it stopped"
    return FetchError("connection-broken", f"the connection to {host} broke", reason=_words(error), hint=hint, transient=True)


def _proxy_error(error: Exception) -> FetchError | None:
    hint = "check http_proxy, https_proxy and no_proxy"
    if isinstance(error, aiohttp.ClientHttpProxyError):
        reason = f"HTTP status {error.status}: {error.message}"
        transient = error.status in _TRANSIENT
        return FetchError("proxy-refused", "the proxy refuses the connection", reason=reason, hint=hint, transient=transient)
    if isinstance(error, aiohttp.ClientProxyConnectionError):
        return FetchError("proxy-unreachable", f"the proxy {error.host} cannot be reached", reason=_words(error), hint=hint, transient=True)
    return None


def _tls_error(host: str, error: Exception) -> FetchError | None:
    if isinstance(error, aiohttp.ClientConnectorCertificateError | ssl.SSLCertVerificationError):
        cause = error.certificate_error if isinstance(error, aiohttp.ClientConnectorCertificateError) else error
        hint = "a company's own authority is trusted with SSL_CERT_FILE=FILE; check the clock of this host too"
        return FetchError("tls-untrusted", f"the certificate of {host} is not trusted", reason=_words(cause), hint=hint)
    if isinstance(error, aiohttp.ClientSSLError | ssl.SSLError):
        reason = _words(error)
        return FetchError("tls-failed", f"no encrypted connection to {host}", reason=reason, hint="is it an https server at all?")
    return None


def _words(error: BaseException) -> str:
    inner = getattr(error, "os_error", None)
    text = str(inner or error).strip()
    return text or type(error).__name__


def _retry_after(text: str) -> float:
    """Seconds, from a number or a date; RFC 9110, 10.2.3."""
    if text.strip().isdigit():
        return min(float(text), _LONGEST_WAIT)
    try:
        moment = email.utils.parsedate_to_datetime(text).timestamp() if text else 0.0
    except ValueError:
        return 0.0
    return max(0.0, min(moment - time.time(), _LONGEST_WAIT)) if moment else 0.0
