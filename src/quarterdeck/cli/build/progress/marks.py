"""The signs of a live view, in what the terminal can show."""

from __future__ import annotations

from dataclasses import dataclass

from rich.text import Text

_FRAMES_EACH_SECOND = 10
_BAR = 20


@dataclass(frozen=True)
class Marks:
    """One set of signs."""

    done: str
    failed: str
    left: str
    ellipsis: str
    full: str
    empty: str
    spinner: str

    def spin(self, now: float) -> Text:
        """Return the mark of what runs at ``now`` seconds."""
        return Text(self.spinner[int(now * _FRAMES_EACH_SECOND) % len(self.spinner)], style="cyan")

    def bar(self, done: int, total: int, style: str) -> Text:
        """Return a bar, empty when nobody knows how much there is."""
        if total <= 0:
            return Text("")
        columns = _BAR * min(done, total) // total
        return Text.assemble((self.full * columns, style), (self.empty * (_BAR - columns), "dim"))


RICH = Marks("✓", "✗", "·", "…", "━", "─", "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")
ASCII = Marks("+", "x", "-", "~", "#", "-", "-\\|/")
