"""Lines of engines as text that is safe to show: whoever wrote the Dockerfile, or a server it asked, wrote them."""

from __future__ import annotations

import re

# ECMA-48: CSI sequences, strings that a terminal takes for itself (OSC, DCS, SOS, PM, APC), and other escapes of two or three bytes.
_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]?")
# C0 without the tab, DEL, C1, and the characters that turn the direction of text around (Unicode TR 36, 3.1).
_CONTROLS = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_LONGEST = 4096


def plain(line: str) -> str:
    """Return one line without what moves cursors, colours or hides text, at most 4096 characters of it."""
    shown = _CONTROLS.sub("", _ESCAPES.sub("", line[: 4 * _LONGEST])).rstrip()
    return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}…"


def one_line(text: str) -> str:
    """Return a text of several lines as one."""
    return plain(" ".join(text.split()))
