"""What skopeo says, for people: its lines are logs, and the cause stands at the end of a long sentence.

Line format: the text formatter of sirupsen/logrus. Words of causes: Go's net and crypto/tls, errors of the registry API
(github.com/opencontainers/distribution-spec, "Error Codes").
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from quarterdeck.build.oci.reference import Reference
from quarterdeck.errors import HostError, QuarterdeckError, TargetError

_LINE = re.compile(r'time="[^"]*" level=(?P<level>\w+) msg=(?P<message>"(?:[^"\\]|\\.)*"|\S+)')
_FULL = re.compile(r"no space left on device|disk quota exceeded")
_LOG_IN = "log in: docker login {domain}, or podman login {domain}"
_CAUSES: tuple[tuple[re.Pattern[str], str, str, str], ...] = tuple(
    (re.compile(words, re.IGNORECASE), key, reason, hint)
    for words, key, reason, hint in (
        (
            r"gave HTTP response to HTTPS client",
            "registry-without-tls",
            "the registry {domain} speaks plain HTTP, which is not trusted",
            "allow it by 'insecure = true' for {domain} in /etc/containers/registries.conf",
        ),
        (
            r"x509:|tls: |certificate",
            "registry-not-trusted",
            "the certificate of the registry {domain} is not trusted",
            "put its authority's certificate into /etc/containers/certs.d/{domain}/ca.crt",
        ),
        (
            r"connection refused|no such host|timeout|no route to host|network is unreachable|connection reset|server misbehaving",
            "registry-unreachable",
            "the registry {domain} cannot be reached",
            "check its name, the network and the proxy",
        ),
        (
            r"unauthorized|authentication required|denied|incorrect username or password|invalid username/password|forbidden",
            "registry-denied",
            "the registry {domain} does not let you",
            _LOG_IN,
        ),
        (r"manifest unknown|name unknown|not found", "image-not-found", "the registry {domain} has no such image", "check name and tag"),
    )
)


def message_of(line: str) -> tuple[str, str]:
    """Return the level of a line and what it says; a line that is no log has no level."""
    found = _LINE.match(line)
    if found is None:
        return "", line
    message = found["message"]
    try:
        return found["level"], str(json.loads(message)) if message.startswith('"') else message
    except ValueError:  # Go escapes more than JSON knows
        return found["level"], message.strip('"')


def failure(lines: Iterable[str], reference: Reference, what: str) -> QuarterdeckError:
    """Return the error of a skopeo that failed: its last words, and what is behind them where that is known.

    Args:
        lines: what it wrote.
        reference: the image in the registry.
        what: what failed, in one line.
    """
    said = next((message for _, message in map(message_of, reversed(list(lines))) if message.strip()), "skopeo did not say why")
    if _FULL.search(said):
        return HostError("disk-full", what, reason=said, hint="make room, or set TMPDIR to a folder with more")
    for words, key, reason, hint in _CAUSES:
        if words.search(said):
            domain = reference.domain
            return TargetError(key, what, reason=f"{reason.format(domain=domain)} ({said})", hint=_hint(hint, reference))
    return TargetError("image-not-transferred", what, reason=said)


def _hint(hint: str, reference: Reference) -> str:
    """Return the hint, and that a name without a registry is one of docker.io, which not everybody means."""
    text = hint.format(domain=reference.domain)
    return f"{text}; or name another registry: REGISTRY/{reference.familiar}" if reference.domain == "docker.io" else text
