"""This host: platforms proved by the kernel itself, engines asked for their versions."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Collection
from pathlib import Path

from quarterdeck.binfmt.status.model import Platform as Found
from quarterdeck.binfmt.status.model import Runs as KernelRuns
from quarterdeck.binfmt.status.tried import proved_platforms
from quarterdeck.build.nodes.classify import Findings, with_variants, x86_levels
from quarterdeck.build.nodes.docker import DockerClient, context_host, docker_info
from quarterdeck.build.nodes.model import EngineFacts, EngineName, Runs
from quarterdeck.build.nodes.probe.answer import Answer
from quarterdeck.build.platform import Platform
from quarterdeck.core import process
from quarterdeck.core.arch import ARCHES, Arch, host_arch, runs_natively
from quarterdeck.errors import QuarterdeckError
from quarterdeck.host.files import read_text
from quarterdeck.host.resources import cpu_count, memory

_VERSION = re.compile(r"v?(\d+(\.\d+)+[\w.+~-]*)", re.ASCII)
_HOW = {KernelRuns.NATIVE: Runs.NATIVE, KernelRuns.EMULATED: Runs.EMULATED}


async def probe_local(*, timeout: float, wanted: Collection[Platform] | None = None) -> Answer:
    """Return what this host is; of platforms that it would emulate, only the ``wanted`` ones, which are all where nothing is said."""
    found, (docker, note), buildx, buildah, podman = await asyncio.gather(
        asyncio.to_thread(proved_platforms, None if wanted is None else _arches(wanted)),
        _docker(timeout),
        _version(["docker", "buildx", "version"], EngineName.BUILDX, timeout),
        _version(["buildah", "--version"], EngineName.BUILDAH, timeout),
        _version(["podman", "--version"], EngineName.PODMAN, timeout),
    )
    # Without an Engine of this host buildx has nothing to build with.
    engines = (*(buildx if docker else ()), *docker, *buildah, *podman)
    levels = x86_levels(_cpu_flags())
    return Answer(with_variants(_findings(found), levels), engines, cpu_count(), memory().total, note)


def _arches(wanted: Collection[Platform]) -> frozenset[Arch]:
    native = (arch for arch in ARCHES if runs_natively(arch, host_arch()))
    return frozenset([*native, *(platform.arch for platform in wanted if platform.arch is not None)])


def _findings(platforms: tuple[Found, ...]) -> Findings:
    found: Findings = {}
    for one in platforms:
        if one.runs in _HOW:
            by = "this host runs it itself" if one.runs is KernelRuns.NATIVE else "the kernel has an emulator for it"
            proof = "a program of it ran in an empty root folder" if one.proved else "it was not tried"
            found[Platform.parse(one.platform)] = (_HOW[one.runs], f"{by}; {proof}")
    return found


async def _docker(timeout: float) -> tuple[tuple[EngineFacts, ...], tuple[str, ...]]:
    """Return this host's Docker Engine, and a note where the client leads to another host's."""
    if process.find("docker") is None:
        return (), ()
    try:
        host = await context_host()
        if host and not host.startswith("unix://"):
            return (), (f"the docker client leads to {host}: add that as a node of its own",)
        info = await docker_info(DockerClient(), timeout=timeout)
    except QuarterdeckError:
        return (), ()
    if info.kernel and info.kernel != os.uname().release:
        return (), (f"the Docker Engine runs in a virtual machine (Linux {info.kernel}): add its context as a node of its own",)
    return (EngineFacts(EngineName.DOCKER, info.version),), ()


async def _version(argv: list[str], name: EngineName, timeout: float) -> tuple[EngineFacts, ...]:
    program = process.find(argv[0])
    if program is None:
        return ()
    try:
        done = await process.run_async([program, *argv[1:]], timeout=timeout, check=False)
    except QuarterdeckError:
        return ()
    match = _VERSION.search(done.text)
    return (EngineFacts(name, match.group(1) if match else ""),) if done.returncode == 0 else ()


def _cpu_flags() -> list[str]:
    lines = read_text(Path("/"), "/proc/cpuinfo").splitlines()
    return next((line.partition(":")[2].split() for line in lines if line.startswith("flags")), [])
