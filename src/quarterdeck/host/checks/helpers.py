"""Helper programs for machines, and those that make Debian guests."""

from __future__ import annotations

from quarterdeck.host.check import Check, Status
from quarterdeck.host.distribution import install_hint, tool_package
from quarterdeck.host.tools import TOOLS, Tool, find_tools


async def check() -> list[Check]:
    """Return one check for each helper, and one for all that make Debian guests."""
    return helper_checks(dict(find_tools()))


def helper_checks(found: dict[str, str]) -> list[Check]:
    """Judge the helpers, of which ``found`` maps name to path."""
    guests = [tool for tool in TOOLS if tool.purpose == _GUESTS]
    return [*(_tool_check(tool, found) for tool in TOOLS if tool.purpose != _GUESTS), _guests_check(guests, found)]


_GUESTS = "Debian guests"


def _tool_check(tool: Tool, found: dict[str, str]) -> Check:
    path = found.get(tool.name)
    if path is not None:
        return Check(key=f"tool-{tool.name}", title=tool.name, status=Status.OK, detail=path, needed=tool.needed)
    return Check(
        key=f"tool-{tool.name}",
        title=tool.name,
        status=Status.FAIL if tool.needed else Status.INFO,
        detail=f"not installed ({tool.purpose})",
        fix=install_hint(tool_package(tool)),
        needed=tool.needed,
    )


def _guests_check(tools: list[Tool], found: dict[str, str]) -> Check:
    missing = [tool for tool in tools if tool.name not in found]
    if not missing:
        return Check(key="debian-guests", title=_GUESTS, status=Status.OK, detail=", ".join(tool.name for tool in tools))
    detail = f"not installed: {', '.join(tool.name for tool in missing)}"
    fix = install_hint(*dict.fromkeys(tool_package(tool) for tool in missing))
    return Check(key="debian-guests", title=_GUESTS, status=Status.WARN, detail=detail, fix=fix)
