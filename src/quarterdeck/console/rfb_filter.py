"""What a view-only viewer may say to QEMU's VNC server: ask for pictures, and nothing else.

A streaming parser of the client's side of RFB. It passes whole messages of the kinds that only concern the picture and drops the
rest, so the server never sees a byte that was not understood here. Sources: RFC 6143 (versions, handshake, messages 0 to 6), the
community's RFB specification at github.com/rfbproto/rfbproto (150, 248, 250, 251, QEMU's 255, length of extended clipboard), and
QEMU 7.2 and 10.0, ui/vnc.c ``protocol_client_msg``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

_VERSION_SIZE = 12
_DIRECT = frozenset({b"RFB 003.003\n", b"RFB 003.004\n", b"RFB 003.005\n"})
"""Versions in which the server decides about security; QEMU takes 3.4 and 3.5 for 3.3."""
_CHOOSING = frozenset({b"RFB 003.007\n", b"RFB 003.008\n"})
"""Versions in which the client answers with the security type it chose."""
_SECURITY_NONE = 1
_SHARED = b"\x01"
_MAX_FENCE = 64
_QEMU = 255
_QEMU_KEY = 0
_QEMU_AUDIO = 1
_QEMU_AUDIO_FORMAT = 2


class RfbError(Exception):
    """The client said something that is no RFB that we know; the connection has to end."""


@dataclass(frozen=True)
class _Kind:
    """A kind of message: size of its fixed part in bytes, whether it may pass, and how much follows the fixed part."""

    size: int
    passes: bool
    rest: Callable[[bytes], int] = lambda fixed: 0


def _encodings(fixed: bytes) -> int:
    return 4 * int.from_bytes(fixed[2:4], "big")


def _cut_text(fixed: bytes) -> int:
    # A negative length means an extended clipboard message of that many bytes.
    return abs(int.from_bytes(fixed[4:8], "big", signed=True))


def _fence(fixed: bytes) -> int:
    length = fixed[8]
    if length > _MAX_FENCE:
        raise RfbError(f"a fence of {length} bytes")
    return length


def _screens(fixed: bytes) -> int:
    return 16 * fixed[6]


def _audio(fixed: bytes) -> int:
    return 6 if int.from_bytes(fixed[2:4], "big") == _QEMU_AUDIO_FORMAT else 0


_KINDS: Mapping[int, _Kind] = {
    0: _Kind(20, True),  # SetPixelFormat
    2: _Kind(4, True, _encodings),  # SetEncodings
    3: _Kind(10, True),  # FramebufferUpdateRequest
    4: _Kind(8, False),  # KeyEvent
    5: _Kind(6, False),  # PointerEvent
    6: _Kind(8, False, _cut_text),  # ClientCutText
    150: _Kind(10, True),  # EnableContinuousUpdates
    248: _Kind(9, True, _fence),  # ClientFence
    250: _Kind(4, False),  # xvp: shutdown, reboot, reset
    251: _Kind(8, False, _screens),  # SetDesktopSize
}
_QEMU_KINDS: Mapping[int, _Kind] = {
    _QEMU_KEY: _Kind(12, False),
    _QEMU_AUDIO: _Kind(4, False, _audio),
}


class ViewOnlyFilter:
    """Feed it what the client sends, in pieces of any size; it returns what may go on to the server."""

    def __init__(self) -> None:
        self._pending = bytearray()
        self._phase = self._version
        self._body = 0
        self._body_passes = False

    def feed(self, data: bytes) -> bytes:
        """Return the bytes to send to the server, maybe none.

        Keeps at most one fixed part (20 bytes) between calls.

        Raises:
            RfbError: the client left the protocol; nothing more may be fed.
        """
        self._pending += data
        out = bytearray()
        while self._pending and self._step(out):
            pass
        return bytes(out)

    def _step(self, out: bytearray) -> bool:
        """Handle one part of a message; return False when more bytes are needed first."""
        return self._copy_body(out) if self._body else self._phase(out)

    def _copy_body(self, out: bytearray) -> bool:
        part = self._take(min(self._body, len(self._pending)))
        self._body -= len(part)
        if self._body_passes:
            out += part
        return True

    def _version(self, out: bytearray) -> bool:
        if len(self._pending) < _VERSION_SIZE:
            return False
        version = self._take(_VERSION_SIZE)
        if version not in _DIRECT | _CHOOSING:
            raise RfbError("an unknown version of RFB")
        self._phase = self._init if version in _DIRECT else self._security
        out += version
        return True

    def _security(self, out: bytearray) -> bool:
        chosen = self._take(1)
        if chosen[0] != _SECURITY_NONE:
            raise RfbError(f"security type {chosen[0]}")
        self._phase = self._init
        out += chosen
        return True

    def _init(self, out: bytearray) -> bool:
        # Asking for an exclusive session would throw out everybody else.
        self._take(1)
        self._phase = self._message
        out += _SHARED
        return True

    def _message(self, out: bytearray) -> bool:
        kind = self._kind()
        if kind is None or len(self._pending) < kind.size:
            return False
        fixed = self._take(kind.size)
        self._body, self._body_passes = kind.rest(fixed), kind.passes
        if kind.passes:
            out += fixed
        return True

    def _kind(self) -> _Kind | None:
        number = self._pending[0]
        kinds, index = (_QEMU_KINDS, 1) if number == _QEMU else (_KINDS, 0)
        if len(self._pending) <= index:
            return None
        kind = kinds.get(self._pending[index])
        if kind is None:
            raise RfbError(f"unknown message {number}")
        return kind

    def _take(self, size: int) -> bytes:
        part = bytes(self._pending[:size])
        del self._pending[:size]
        return part
