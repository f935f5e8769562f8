"""mmdebstrap's chatter as progress: what is being done, and how far through the packages it is."""

from __future__ import annotations

import re
from collections.abc import Callable

from quarterdeck.core.report import Reporter, Step, StepStatus

_STAGES = (
    ("I: running apt-get update", "fetching the lists of packages"),
    ("I: downloading packages", "downloading the base system"),
    ("I: extracting archives", "unpacking the base system"),
    ("I: installing essential packages", "installing the base system"),
    ("I: installing remaining packages", "installing the kernel and services"),
    ("I: cleaning", "cleaning up"),
    ("I: creating tarball", "packing"),
)
_DETAILS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"Get:\d+ \S+ \S+ \S+ (\S+) \S+ "), lambda match: f"downloading {match[1]}"),
    (re.compile(r"Unpacking (\S+)"), lambda match: f"unpacking {match[1]}"),
    (re.compile(r"Setting up (\S+)"), lambda match: f"setting up {match[1]}"),
    (re.compile(r"update-initramfs: Generating"), lambda _: "making the initial RAM disk"),
)
_COUNTED = re.compile(r"(?:Unpacking|Setting up) (\S+)")
_INSTALL = re.compile(r"(\d+) newly installed")


class Progress:
    """Turns lines of ``mmdebstrap --verbose`` into events of step ``image``.

    Each package counts two steps, unpacked and set up. The total is known in full only when the second of apt's two
    runs says how many packages it installs; until then there is none.
    """

    def __init__(self, report: Reporter, title: str) -> None:
        self._report = report
        self._title = title
        self._stage = "starting"
        self._detail = ""
        self._seen: set[str] = set()
        self._installs: list[int] = []

    def line(self, text: str) -> None:
        """Take one line."""
        if (install := _INSTALL.search(text)) is not None:
            self._installs.append(int(install[1]))
        if (counted := _COUNTED.match(text)) is not None:
            self._seen.add(counted[0])
        stage = next((words for start, words in _STAGES if text.startswith(start)), None)
        detail = next((words(match) for pattern, words in _DETAILS if (match := pattern.match(text))), None)
        if stage is not None:
            self._stage, self._detail = stage, ""
        elif detail is not None:
            self._detail = detail
        else:
            return
        self._send()

    def _send(self) -> None:
        detail = f"{self._title}: {self._detail or self._stage}"
        total = 2 * sum(self._installs) if len(self._installs) >= 2 else None
        done = len(self._seen) if total is None else min(len(self._seen), total)
        self._report(Step("image", StepStatus.RUNNING, detail, done=done, total=total, unit="steps"))
