"""Flags that ``docker build``, ``docker buildx build``, ``buildah build`` and ``podman build`` share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from quarterdeck.build.engines.request import BuildRequest


def shared_flags(request: BuildRequest) -> list[str]:
    """Return the flags that have the same name and meaning everywhere."""
    words = [f"--platform={request.platform}"]
    words += [f"--build-arg={name}" if value is None else f"--build-arg={name}={value}" for name, value in request.build_args.items()]
    words += pairs("--label", request.labels)
    words += each("--secret", request.secrets)
    words += each("--ssh", request.ssh)
    words += each("--add-host", request.add_hosts)
    words += each("--tag", request.tags)
    words += [f"--target={request.target}"] if request.target else []
    words += ["--no-cache"] if request.no_cache else []
    return words


def pairs(flag: str, values: Mapping[str, str]) -> list[str]:
    """Return ``flag`` with each ``name=value``."""
    return [f"{flag}={name}={value}" for name, value in values.items()]


def each(flag: str, values: Iterable[str]) -> list[str]:
    """Return ``flag`` with each value."""
    return [f"{flag}={value}" for value in values]
