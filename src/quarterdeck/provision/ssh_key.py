"""OpenSSH public keys: checked before they go into a guest, where a bad one would only show as a refused login."""

from __future__ import annotations

import base64
import binascii

from quarterdeck.errors import UsageError

KEY_TYPES = (
    "ssh-ed25519",
    "ssh-rsa",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
)
"""Types that sshd of every supported guest accepts; sshd(8), AUTHORIZED_KEYS FILE FORMAT. ``ssh-dss`` is refused by OpenSSH since 7.0."""


def parse_public_key(text: str) -> str:
    """Return the key as one clean line, ``TYPE BASE64 [COMMENT]``.

    Options in front of the type are not accepted: whoever gives a key gives a login, not a rule.

    Raises:
        UsageError: the text is not one public key of a known type.
    """
    if "PRIVATE KEY" in text:
        raise _refused("this is a private key", hint="give the public one; its file usually ends in .pub")
    line = text.strip()
    if "\n" in line or "\r" in line or "\x00" in line:
        raise _refused("a public key is one line", hint="give each key on its own")
    kind, _, rest = line.partition(" ")
    blob, _, comment = rest.strip().partition(" ")
    if kind not in KEY_TYPES:
        raise _refused(f"'{kind[:40]}' is not a key type", hint=f"known are {', '.join(KEY_TYPES)}")
    if _type_inside(blob) != kind:
        raise _refused(f"the data after {kind} is damaged", hint="copy the whole line of the .pub file")
    return " ".join(part for part in (kind, blob, comment.strip()) if part)


def _type_inside(blob: str) -> str:
    """Return the type that the key's data begins with, a length in 4 bytes and the name (RFC 4253 section 6.6)."""
    try:
        data = base64.b64decode(blob, validate=True)
    except (binascii.Error, ValueError):
        return ""
    length = int.from_bytes(data[:4], "big")
    return data[4 : 4 + length].decode("ascii", "replace") if len(data) > 4 + length else ""


def _refused(reason: str, *, hint: str) -> UsageError:
    return UsageError("invalid-ssh-key", "an SSH public key cannot be used", reason=reason, hint=hint)
