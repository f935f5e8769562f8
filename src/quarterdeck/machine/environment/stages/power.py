"""Start, stop and debugging."""

from __future__ import annotations

from quarterdeck.machine.environment.draft import Draft
from quarterdeck.machine.environment.wish import DEFAULT_TIMEOUT, OnPoweroff


def power(draft: Draft) -> None:
    """Write the options of the container."""
    timeout = draft.value("TIMEOUT") if draft.has("TIMEOUT") else DEFAULT_TIMEOUT
    draft.options |= {
        "timeout": 0 if draft.flag("SHUTDOWN") is False else timeout,
        "on_poweroff": OnPoweroff(draft.text("ON_POWEROFF") or OnPoweroff.EXIT),
        "debug": draft.flag("DEBUG") is True,
        "reset_firmware": draft.flag("CLEAR") is True,
    }
