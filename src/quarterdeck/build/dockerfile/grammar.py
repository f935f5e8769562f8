"""What each instruction takes: flags, number of arguments, values that can be judged before anything is expanded.

Source: frontend/dockerfile/instructions (parse.go, bflag.go) of BuildKit 0.34. Nothing more is refused than BuildKit refuses: what
ONBUILD keeps is judged by the build that uses it, flags of ARG and STOPSIGNAL are ignored.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping

from quarterdeck.build.dockerfile import mounts
from quarterdeck.build.dockerfile.durations import check_duration
from quarterdeck.build.dockerfile.errors import DockerfileError, SyntaxFault
from quarterdeck.build.dockerfile.heredocs import heredoc_of
from quarterdeck.build.dockerfile.model import Flag, Instruction
from quarterdeck.build.dockerfile.spaces import trim

_BOOL, _ONE, _MANY = "bool", "one", "many"
_HEALTH = dict.fromkeys(("interval", "timeout", "start-period", "start-interval", "retries"), _ONE)
_COPY = {"chown": _ONE, "chmod": _ONE, "link": _BOOL, "exclude": _MANY}
_FLAGS: Mapping[str, Mapping[str, str]] = {
    "FROM": {"platform": _ONE},
    "RUN": {"mount": _MANY, "network": _ONE, "security": _ONE, "device": _MANY},
    "COPY": {**_COPY, "from": _ONE, "parents": _BOOL},
    "ADD": {**_COPY, "keep-git-dir": _BOOL, "checksum": _ONE, "unpack": _BOOL},
    "HEALTHCHECK": _HEALTH,
}
_STAGE_NAME = re.compile(r"[a-z][a-z0-9-_.]*", re.ASCII)


def check(instruction: Instruction) -> None:
    """Refuse an instruction that BuildKit would refuse.

    Raises:
        SyntaxFault: it is unknown, or its flags or arguments are wrong.
    """
    rule = _RULES.get(instruction.keyword)
    if not instruction.keyword:
        raise SyntaxFault("nothing follows the line that is to be continued")
    if rule is None:
        raise SyntaxFault(f"'{instruction.keyword}' is no instruction", hint=_nearest(instruction.keyword, _RULES))
    rule(instruction)


def check_stages(instructions: tuple[Instruction, ...], name: str) -> None:
    """Refuse a file without FROM, and anything but ARG before the first.

    Raises:
        DockerfileError: there is no FROM, or something that needs one comes before it.
    """
    for instruction in instructions:
        if instruction.keyword == "FROM":
            return
        if instruction.keyword != "ARG":
            raise DockerfileError(
                f"{instruction.keyword} before the first FROM",
                name=name,
                line=instruction.span.first,
                hint="only ARG may stand before FROM",
            )
    last = instructions[-1].span.last if instructions else 1
    raise DockerfileError("there is no FROM", name=name, line=last, hint="a Dockerfile starts with FROM image, or FROM scratch")


def _nearest(word: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"did you mean {near[0]}?" if near else ""


def _check_flags(instruction: Instruction) -> None:
    known = _FLAGS.get(instruction.keyword, {})
    seen: set[str] = set()
    for flag in instruction.flags:
        kind = known.get(flag.name)
        if kind is None:
            near = _nearest(f"--{flag.name}", (f"--{name}" for name in known))
            raise SyntaxFault(f"{instruction.keyword} has no flag --{flag.name}", hint=near)
        if flag.name in seen and kind != _MANY:
            raise SyntaxFault(f"--{flag.name} is given twice")
        seen.add(flag.name)
        _check_value(flag, kind)


def _check_value(flag: Flag, kind: str) -> None:
    if kind != _BOOL and flag.value is None:
        raise SyntaxFault(f"--{flag.name} has no value", hint=f"write --{flag.name}=value, without a space")
    if kind == _BOOL and flag.value is not None and flag.value.lower() not in ("true", "false"):
        raise SyntaxFault(f"--{flag.name} is true or false, not '{flag.value}'")


def _one(instruction: Instruction) -> None:
    if not instruction.arguments:
        raise SyntaxFault(f"{instruction.keyword} needs exactly one argument")
    _check_flags(instruction)


def _signal(instruction: Instruction) -> None:
    if not instruction.arguments:
        raise SyntaxFault("STOPSIGNAL needs exactly one argument")


def _some(instruction: Instruction) -> None:
    if not instruction.arguments:
        raise SyntaxFault(f"{instruction.keyword} needs at least one argument")
    _check_flags(instruction)


def _volume(instruction: Instruction) -> None:
    _some(instruction)
    if not all(trim(path) for path in instruction.arguments):
        raise SyntaxFault("VOLUME has an empty path")


def _pairs(instruction: Instruction) -> None:
    _check_flags(instruction)
    if not instruction.pairs:
        raise SyntaxFault(f"{instruction.keyword} needs at least one argument")
    if not all(pair.name for pair in instruction.pairs):
        raise SyntaxFault(f"{instruction.keyword} has an '=' without a name before it")


def _arg(instruction: Instruction) -> None:
    if not instruction.pairs:
        raise SyntaxFault("ARG needs at least one argument")
    if not all(pair.name for pair in instruction.pairs):
        raise SyntaxFault("ARG has an '=' without a name before it")


def _from(instruction: Instruction) -> None:
    _check_flags(instruction)
    arguments = instruction.arguments
    if len(arguments) != 1 and not (len(arguments) == 3 and arguments[1].lower() == "as"):
        raise SyntaxFault("FROM takes an image, or an image AS name", hint="a comment needs a line of its own")
    if len(arguments) == 3 and not _STAGE_NAME.fullmatch(arguments[2].lower()):
        raise SyntaxFault(
            f"'{arguments[2]}' is no name for a stage", hint="it starts with a letter and has only letters, digits, '-', '_' and '.'"
        )


def _copy(instruction: Instruction) -> None:
    _check_flags(instruction)
    if len(instruction.arguments) < 2:
        raise SyntaxFault(f"{instruction.keyword} needs a source and a destination")
    if _is_heredoc(instruction.arguments[-1]):
        raise SyntaxFault(f"{instruction.keyword} cannot have a here-document for its destination")


def _is_heredoc(word: str) -> bool:
    try:
        return heredoc_of(word) is not None
    except SyntaxFault:
        return False


def _run(instruction: Instruction) -> None:
    _check_flags(instruction)
    mounts.check_run(instruction)


def _shell(instruction: Instruction) -> None:
    _some(instruction)
    if instruction.words is None:
        raise SyntaxFault("SHELL takes only the JSON form", hint='write SHELL ["/bin/sh", "-c"]')


def _onbuild(instruction: Instruction) -> None:
    trigger = instruction.trigger
    if trigger is None:
        raise SyntaxFault("ONBUILD needs an instruction")
    _check_flags(instruction)
    if trigger.keyword in ("ONBUILD", "FROM", "MAINTAINER"):
        raise SyntaxFault(f"{trigger.keyword} cannot be kept by ONBUILD")


def _healthcheck(instruction: Instruction) -> None:
    kind, *command = (*instruction.arguments, "")
    if kind.upper() == "NONE":
        if len(command) > 1:
            raise SyntaxFault("HEALTHCHECK NONE takes no arguments")
        return
    if not kind:
        raise SyntaxFault("HEALTHCHECK needs at least one argument")
    _check_flags(instruction)
    if kind.upper() != "CMD":
        raise SyntaxFault(f"HEALTHCHECK is CMD or NONE, not '{kind}'")
    if len(command) < 2:
        raise SyntaxFault("no command follows HEALTHCHECK CMD")
    for flag in instruction.flags:
        _check_health(flag)


def _check_health(flag: Flag) -> None:
    if flag.name != "retries":
        check_duration(flag.name, flag.value or "")
    elif flag.value and not (re.fullmatch(r"\+?\d+|-0+", flag.value, re.ASCII) and int(flag.value[-20:]) < 2**31):
        raise SyntaxFault(f"--retries is a number, not '{flag.value}'")


_RULES: Mapping[str, Callable[[Instruction], None]] = {
    "ADD": _copy,
    "ARG": _arg,
    "CMD": _check_flags,
    "COPY": _copy,
    "ENTRYPOINT": _check_flags,
    "ENV": _pairs,
    "EXPOSE": _some,
    "FROM": _from,
    "HEALTHCHECK": _healthcheck,
    "LABEL": _pairs,
    "MAINTAINER": _one,
    "ONBUILD": _onbuild,
    "RUN": _run,
    "SHELL": _shell,
    "STOPSIGNAL": _signal,
    "USER": _one,
    "VOLUME": _volume,
    "WORKDIR": _one,
}
