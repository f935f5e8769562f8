"""The stage that is to be built."""

from __future__ import annotations

import re

from quarterdeck.build.stages.names import Names
from quarterdeck.errors import UsageError

_NUMBER = re.compile(r"[0-9]+", re.ASCII)
_LISTED = 12


def find_target(names: Names, wanted: str | None, file: str) -> int:
    """Return the index of the stage that ``--target`` names, by name (in any case) or number; the last when it names none.

    Raises:
        UsageError: there is no such stage.
    """
    if not wanted:
        return len(names.stages) - 1
    found = next((stage.index for stage in reversed(names.stages) if stage.name == wanted.lower()), None)
    if found is not None:
        return found
    if _NUMBER.fullmatch(wanted) and int(wanted) < len(names.stages):
        return int(wanted)
    raise UsageError("unknown-stage", f"{file} has no stage '{wanted}'", reason=_stages(names), hint=_hint(names.similar(wanted)))


def _stages(names: Names) -> str:
    known = [stage.name for stage in names.stages if stage.name]
    if not known:
        return f"none of its {len(names.stages)} stages has a name"
    more = f" and {len(known) - _LISTED} more" if len(known) > _LISTED else ""
    return f"its stages are {', '.join(known[:_LISTED])}{more}"


def _hint(similar: str) -> str:
    return f"did you mean '{similar}'?" if similar else "name one of its stages, or their number counted from 0"
