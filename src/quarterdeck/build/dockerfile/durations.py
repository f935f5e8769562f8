"""Durations as Go writes them: ``1m30s``, ``500ms``, ``0``.

Source: time.ParseDuration of Go; HEALTHCHECK takes none below a millisecond but 0 (instructions/parse.go of BuildKit 0.34).
"""

from __future__ import annotations

import re
from fractions import Fraction

from quarterdeck.build.dockerfile.errors import SyntaxFault

_NANOSECONDS = {"ns": 1, "us": 10**3, "µs": 10**3, "μs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)", re.ASCII)
_WHOLE = re.compile(rf"[-+]?(?:0|(?:{_PART.pattern})+)", re.ASCII)
# More digits than any duration that fits needs, and few enough to count with.
_LONGEST = 200


def check_duration(flag: str, text: str) -> None:
    """Refuse a duration of HEALTHCHECK that BuildKit refuses; an empty one is the default.

    Raises:
        SyntaxFault: it is none, negative, below a millisecond, or above 292 years, Go's longest.
    """
    if not text:
        return
    if len(text) > _LONGEST or not _WHOLE.fullmatch(text):
        raise SyntaxFault(f"--{flag} is a duration, not '{text}'", hint="durations are written like 30s, 1m30s or 500ms")
    total = sum(int(Fraction(number) * _NANOSECONDS[unit]) for number, unit in _PART.findall(text))
    if (total and (text.startswith("-") or total < 10**6)) or total >= 2**63:
        raise SyntaxFault(f"--{flag} is at least 1ms or 0, not {text}")
