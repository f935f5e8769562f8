"""Live steps on a terminal, plain lines in a log, JSON lines for programs; always on stderr."""

from __future__ import annotations

from typing import Any, Protocol

from quarterdeck.cli.output import Progress as Mode


class Renderer(Protocol):
    """Shows the events of one machine until closed."""

    def show(self, kind: str, data: dict[str, Any]) -> None:
        """Show one event of type ``kind``."""

    def close(self) -> None:
        """Leave the terminal as it was."""


def renderer(mode: Mode) -> Renderer:
    """Return the renderer for ``mode``; only what it needs is imported."""
    match mode.settled():
        case Mode.JSON:
            from quarterdeck.cli.progress.lines import JsonRenderer

            return JsonRenderer()
        case Mode.PLAIN:
            from quarterdeck.cli.progress.plain import PlainRenderer

            return PlainRenderer()
        case _:
            from quarterdeck.cli.progress.live import LiveRenderer

            return LiveRenderer()
