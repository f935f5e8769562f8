"""As much of a SPICE client as logs in.

Source: the SPICE protocol's "link" stage (spice-protocol, protocol.h): header, RedLinkMess, RedLinkReply with an RSA key, and a
ticket encrypted with it by OAEP.
"""

import asyncio
import ssl
import struct
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

OK, PERMISSION_DENIED = 0, 7
_MAIN = 1
_KEY_BYTES = 162


@dataclass(frozen=True)
class Vv:
    """A connection file, read back."""

    fields: dict[str, str]

    @classmethod
    def parse(cls, text: str) -> "Vv":
        head, *lines = text.splitlines()
        assert head == "[virt-viewer]"
        pairs = (line.partition("=") for line in lines)
        return cls({key: value.replace("\\n", "\n").replace("\\\\", "\\") for key, _, value in pairs})


async def log_in(vv: Vv, *, password: str | None = None) -> int:
    """Connect as the file says and return the server's verdict."""
    reader, writer = await _connect(vv.fields)
    try:
        link = struct.pack("<IBBIII", 0, _MAIN, 0, 0, 0, 18)
        writer.write(b"REDQ" + struct.pack("<III", 2, 2, len(link)) + link)
        magic, _, _, size = struct.unpack("<4sIII", await reader.readexactly(16))
        reply = await reader.readexactly(size)
        assert (magic, struct.unpack_from("<I", reply)[0]) == (b"REDQ", OK)
        key = load_der_public_key(reply[4 : 4 + _KEY_BYTES])
        assert isinstance(key, rsa.RSAPublicKey)
        secret = (vv.fields.get("password", "") if password is None else password).encode() + b"\0"
        oaep = padding.OAEP(mgf=padding.MGF1(hashes.SHA1()), algorithm=hashes.SHA1(), label=None)
        writer.write(key.encrypt(secret, oaep))
        return int(struct.unpack("<I", await reader.readexactly(4))[0])
    finally:
        writer.close()


async def _connect(fields: dict[str, str]) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if "unix-path" in fields:
        return await asyncio.open_unix_connection(Path(fields["unix-path"]))
    if "tls-port" not in fields:
        return await asyncio.open_connection(fields["host"], int(fields["port"]))
    context = ssl.create_default_context(cadata=fields["ca"])
    return await asyncio.open_connection(fields["host"], int(fields["tls-port"]), ssl=context, server_hostname="localhost")
