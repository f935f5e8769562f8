"""What a Dockerfile and a request need of an engine, and where they say so."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from quarterdeck.build.dockerfile.model import Dockerfile, Instruction
from quarterdeck.build.engines.cache import cache_type
from quarterdeck.build.engines.capability import LANGUAGE, Capability, frontend_capabilities
from quarterdeck.build.engines.request import BuildRequest
from quarterdeck.build.engines.version import Version

_FRONTEND = re.compile(r"(?:.+/)?docker/dockerfile(?:-upstream)?(?::(?P<tag>[\w.-]+))?(?:@.+)?")
_TAG = re.compile(r"(?:v?(?P<version>\d+(?:\.\d+)*))?-?(?P<labs>labs)?.*")
_NEWEST: Version = (1, 99)
# RUN, CMD and ENTRYPOINT leave it to their shell.
_EXPANDED = frozenset({"ADD", "ARG", "COPY", "ENV", "EXPOSE", "FROM", "LABEL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"})
_SUBSTITUTION = re.compile(r"\$\{\w+[#%/]")
_GIT = re.compile(r"git@|git://|ssh://|https?://\S+\.git(?:[#?]\S*)?$")
_FLAGS: Mapping[tuple[str, str], Capability] = {
    ("RUN", "network"): Capability.RUN_NETWORK,
    ("RUN", "security"): Capability.RUN_SECURITY,
    ("RUN", "device"): Capability.RUN_DEVICE,
    ("RUN", "mount"): Capability.MOUNT,
    ("ADD", "checksum"): Capability.ADD_CHECKSUM,
    ("ADD", "keep-git-dir"): Capability.ADD_GIT,
    ("ADD", "unpack"): Capability.ADD_UNPACK,
    **{
        (keyword, name): capability
        for keyword in ("ADD", "COPY")
        for name, capability in (
            ("link", Capability.COPY_LINK),
            ("parents", Capability.COPY_PARENTS),
            ("exclude", Capability.COPY_EXCLUDE),
            ("chmod", Capability.COPY_CHMOD),
        )
    },
}


@dataclass(frozen=True)
class Needs:
    """What is needed and where that is said: ``Dockerfile:12``, or the flag. ``syntax`` is the frontend that reads the Dockerfile."""

    where: Mapping[Capability, str]
    syntax: str = ""


def needs(dockerfile: Dockerfile, request: BuildRequest) -> Needs:
    """Return what building ``dockerfile`` as ``request`` says needs, each with the first place that says so."""
    where: dict[Capability, str] = {}
    for instruction in dockerfile.instructions:
        for capability in _of_instruction(instruction):
            where.setdefault(capability, f"{dockerfile.name}:{instruction.span.first}")
    for capability in _of_request(request):
        where.setdefault(capability, capability.value)
    # The build argument is what Docker documents for replacing the directive.
    syntax = request.build_args.get("BUILDKIT_SYNTAX") or dockerfile.directives.syntax
    if syntax and not _FRONTEND.fullmatch(syntax):
        where[Capability.FRONTEND] = f"{dockerfile.name}:1"
    return Needs(where, syntax)


def understood(capabilities: frozenset[Capability], syntax: str) -> frozenset[Capability]:
    """Return what an engine can when ``syntax`` names the frontend: that one decides what the Dockerfile may say, on engines that load it.

    A frontend that is not Docker's may understand anything.
    """
    if not syntax or Capability.FRONTEND not in capabilities:
        return capabilities
    return (capabilities - LANGUAGE) | _frontend(syntax)


def _frontend(syntax: str) -> frozenset[Capability]:
    image = _FRONTEND.fullmatch(syntax)
    if image is None:
        return LANGUAGE
    tag = _TAG.fullmatch(image["tag"] or "")
    if tag is None or tag["version"] is None:
        return frontend_capabilities(_NEWEST, labs=tag is not None and tag["labs"] is not None)
    numbers = [int(word) for word in tag["version"].split(".")]
    version = (numbers[0], numbers[1]) if len(numbers) > 1 else (numbers[0], _NEWEST[1])
    return frontend_capabilities(version, labs=tag["labs"] is not None)


def _of_instruction(instruction: Instruction) -> Iterator[Capability]:
    if instruction.trigger is not None:
        yield from _of_instruction(instruction.trigger)
    if instruction.heredocs:
        yield Capability.HEREDOC
    for flag in instruction.flags:
        if capability := _FLAGS.get((instruction.keyword, flag.name)):
            yield capability
        if flag.name == "mount" and _is_secret_variable(flag.value or ""):
            yield Capability.SECRET_ENV
    if instruction.keyword == "ADD" and any(_GIT.match(word) for word in instruction.arguments[:-1]):
        yield Capability.ADD_GIT
    if instruction.keyword in _EXPANDED and _SUBSTITUTION.search(instruction.text):
        yield Capability.SUBSTITUTION


def _is_secret_variable(mount: str) -> bool:
    fields = mount.split(",")
    return "type=secret" in fields and any(field.startswith("env=") for field in fields)


def _of_request(request: BuildRequest) -> Iterator[Capability]:
    asked = {
        Capability.SECRETS: request.secrets,
        Capability.SSH: request.ssh,
        Capability.BUILD_CONTEXT: request.build_contexts,
        Capability.ANNOTATIONS: request.annotations,
        Capability.ATTESTATIONS: [value for value in (request.provenance, request.sbom) if is_on(value)],
        Capability.CACHE_FROM: request.cache_from,
        Capability.CACHE_INLINE: [value for value in request.cache_to if cache_type(value) == "inline"],
        Capability.CACHE_TO: [value for value in request.cache_to if cache_type(value) != "inline"],
        Capability.CACHE_TYPES: [
            value for value in (*request.cache_from, *request.cache_to) if cache_type(value) not in ("registry", "inline")
        ],
    }
    yield from (capability for capability, values in asked.items() if values)


def is_on(attestation: str | None) -> bool:
    """Whether ``--provenance`` or ``--sbom`` asks for something."""
    return attestation is not None and attestation.lower() not in ("false", "0", "disabled=true", "disabled")
