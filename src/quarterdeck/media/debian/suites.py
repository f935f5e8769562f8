"""Debian's suites: names, numbers, and which one is stable today."""

from __future__ import annotations

import csv
import difflib
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from quarterdeck.core import clock
from quarterdeck.errors import UsageError

_DISTRO_INFO = Path("/usr/share/distro-info/debian.csv")
"""Kept current by the package distro-info-data, which stable releases update."""


@dataclass(frozen=True)
class Suite:
    """A suite: codename, version (empty: sid), and the day of its release (None: not known)."""

    name: str
    version: str
    released: date | None = None


_OLDEST = 12
"""Debian 12 is the oldest whose systemd and cloud-init read what the recipe writes."""
_TABLE = (
    Suite("bookworm", "12", date(2023, 6, 10)),
    Suite("trixie", "13", date(2025, 8, 9)),
    Suite("forky", "14"),
    Suite("sid", ""),
)
_ALIASES = {"unstable": "sid"}


def all_suites(table: Path = _DISTRO_INFO) -> tuple[Suite, ...]:
    """Return the suites that can be made, oldest first; newer releases are taken from the host's distro-info."""
    suites = {suite.name: suite for suite in _TABLE if suite.version} | {suite.name: suite for suite in _distro_info(table)}
    numbered = sorted(suites.values(), key=lambda suite: int(suite.version))
    return (*numbered, *(suite for suite in _TABLE if not suite.version))


def stable_suites() -> tuple[Suite, ...]:
    """Return the suites that are released by today, newest first; the first is ``stable``."""
    today = _today()
    return tuple(suite for suite in reversed(all_suites()) if suite.released is not None and suite.released <= today)


def known(name: str) -> str | None:
    """Return the codename of ``name``, which is a codename, a number or ``stable``, ``testing``, ``unstable``...; None for other words."""
    word = name.strip().lower()
    return _names().get(_ALIASES.get(word, word))


def find_suite(name: str) -> str:
    """Return the codename of ``name``.

    Raises:
        UsageError: there is no such suite, or it is too old; the hint names those there are.
    """
    found = known(name)
    if found is not None:
        return found
    close = difflib.get_close_matches(name.lower(), _names(), n=1)
    names = ", ".join(f"{suite.name} ({suite.version})" if suite.version else suite.name for suite in all_suites())
    hint = f"did you mean 'debian:{close[0]}'? " if close else ""
    raise UsageError("unknown-suite", f"Debian has no suite '{name}' that can be made", hint=f"{hint}there are {names}")


def _names() -> dict[str, str]:
    suites = all_suites()
    stable = stable_suites()
    names = {suite.name: suite.name for suite in suites} | {suite.version: suite.name for suite in suites if suite.version}
    names |= dict(zip(("stable", "oldstable"), (suite.name for suite in stable), strict=False))
    coming = [suite.name for suite in suites if suite.version and suite not in stable]
    return names | ({"testing": coming[0]} if coming else {})


def _distro_info(table: Path) -> list[Suite]:
    try:
        rows = list(csv.DictReader(table.read_text(encoding="utf-8").splitlines()))
    except (OSError, ValueError):
        return []
    # A suite that distro-info lists before it exists has a day of creation in the future.
    created = [row for row in rows if (_date(row.get("created")) or date.max) <= _today()]
    return [_suite(row) for row in created if (row.get("version") or "").isdigit() and int(row["version"]) >= _OLDEST]


def _suite(row: dict[str, str]) -> Suite:
    return Suite(row.get("series") or "", row["version"], _date(row.get("release")))


def _date(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        return None


def _today() -> date:
    return date(*time.gmtime(clock.now())[:3])
