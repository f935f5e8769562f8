"""From variables and folders to a machine. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from quarterdeck.errors import Problem, SpecError
from quarterdeck.machine.check import check
from quarterdeck.machine.environment.collect import collect
from quarterdeck.machine.environment.draft import Draft
from quarterdeck.machine.environment.found import Found
from quarterdeck.machine.environment.stages.boot import boot
from quarterdeck.machine.environment.stages.disks import disks
from quarterdeck.machine.environment.stages.network import network
from quarterdeck.machine.environment.stages.power import power
from quarterdeck.machine.environment.stages.processor import processor
from quarterdeck.machine.environment.stages.provision import provision
from quarterdeck.machine.environment.stages.screen import screen
from quarterdeck.machine.environment.stages.state import state
from quarterdeck.machine.environment.stages.system import system
from quarterdeck.machine.environment.wish import ContainerOptions, ContainerWish
from quarterdeck.machine.load import load_spec
from quarterdeck.machine.spec import MachineSpec
from quarterdeck.machine.validate import validate

DEFAULT_SPEC = "/machine.yaml"
_HINT = "docs/container-variables.md lists every variable"


def read_environment(env: Mapping[str, str], found: Found) -> ContainerWish:
    """Return the machine that the variables of a container and what lies in its folders describe.

    Variables go before the spec in ``SPEC``. What is mounted or lies there goes before ``BOOT``, as in the old image, but not before a
    spec that says what boots. The spec of the result always has a name. What is asked for and cannot be had is in ``notes``.

    Args:
        env: the variables; those of others are left alone.
        found: what lies in the container's folders.

    Raises:
        SpecError: values make no sense, alone or together; each problem names its variable and the value.
    """
    given = collect(env)
    draft = Draft(given, found, _base(str(given.values.get("SPEC", DEFAULT_SPEC)), found, asked="SPEC" in given.values))
    source = boot(draft)
    processor(draft)
    system(draft)
    disks(draft, source)
    screen(draft)
    network(draft)
    provision(draft)
    power(draft)
    state(draft, source)
    return ContainerWish(
        spec=_spec(draft), options=ContainerOptions(**draft.options), files=tuple(draft.files), notes=tuple(dict.fromkeys(draft.notes))
    )


def _base(path: str, found: Found, *, asked: bool) -> MachineSpec:
    text = found.text(path)
    if text is not None:
        return load_spec(text, path)
    if asked:
        raise SpecError(
            "the container's variables", [Problem("SPEC", f"there is no file {path}", None, "mount it into the container")], hint=_HINT
        )
    return MachineSpec()


def _spec(draft: Draft) -> MachineSpec:
    result = validate(draft.data)
    findings = check(result) if isinstance(result, MachineSpec) else result
    problems = list(dict.fromkeys([*draft.problems, *(draft.blame(finding) for finding in findings)]))
    if problems or isinstance(result, list):
        raise SpecError("the container's variables", problems, hint=_HINT)
    return result
