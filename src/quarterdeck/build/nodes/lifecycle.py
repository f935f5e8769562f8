"""What is done to nodes: made ready, and cleaned up after."""

from __future__ import annotations

import asyncio
import contextlib
import shlex
import time
from collections.abc import Mapping

from quarterdeck.build.nodes.builders import apart, builder_at, builders
from quarterdeck.build.nodes.docker import DockerClient, context_names
from quarterdeck.build.nodes.endpoint import parse_endpoint
from quarterdeck.build.nodes.model import EngineName, Kind, Node, NodeFacts
from quarterdeck.build.nodes.probe.builder import buildx_version
from quarterdeck.build.nodes.probe.run import DEADLINE, PATIENCE, examine, ssh_address
from quarterdeck.build.nodes.ssh import SSH_FAILED, close, known_keys
from quarterdeck.build.nodes.store import NodeStore
from quarterdeck.core import process
from quarterdeck.core.report import Level, Message, Reporter, Step, StepStatus, silent
from quarterdeck.errors import QuarterdeckError, TargetError, UsageError

_BEHIND_SSH = (Kind.SSH, Kind.MACHINE)
_PAUSE = 2.0
"""Seconds between two logins to a machine that boots."""
BOOTSTRAP_SECONDS = 600.0
"""A container builder's image is pulled first."""


async def bootstrap(node: Node, *, accept_host_key: bool = False, deadline: float = PATIENCE, report: Reporter = silent) -> NodeFacts:
    """Make a node ready: start its builder, write down its host key where that was allowed, and see that it has an engine.

    Raises:
        UsageError: ``accept_host_key`` for a node that has none.
        QuarterdeckError: it cannot be made ready; the hint says what is missing.
    """
    if accept_host_key and node.kind not in _BEHIND_SSH:
        raise UsageError("option-without-meaning", f"{node.endpoint} has no host key that could be accepted")
    report(Step(f"node {node.name}", StepStatus.RUNNING, f"making {node.name} ready"))
    try:
        if node.kind is Kind.CONTAINER:
            await _start_container(node)
        if node.kind is Kind.BUILDX:
            endpoint = parse_endpoint(node.endpoint)
            with apart(endpoint) as variables:
                await _buildx("inspect", "--bootstrap", endpoint.name, env=variables)
        if node.kind is Kind.BUILDKIT and node.engine is not EngineName.DOCKER:
            # Whoever cannot be asked is no node: first the daemon itself, then the client that speaks to it.
            await examine(node, deadline=deadline)
            await ensure_builder(node)
        found = await _examine_patiently(node, deadline=deadline, accept_host_key=accept_host_key)
    except QuarterdeckError:
        report(Step(f"node {node.name}", StepStatus.FAILED, f"{node.name} is not ready"))
        raise
    if accept_host_key:
        for line in await known_keys(ssh_address(node)):
            report(Message(Level.INFO, f"known host key of {node.name}: {line}"))
    report(Step(f"node {node.name}", StepStatus.DONE, f"{node.name} is ready"))
    return found


async def _examine_patiently(node: Node, *, deadline: float, accept_host_key: bool) -> NodeFacts:
    """Ask a node; a machine that runs, and whose SSH server does not answer, may be booting still: its agent is up before."""
    end = time.monotonic() + deadline
    while True:
        try:
            return await examine(node, deadline=max(1.0, end - time.monotonic()), accept_host_key=accept_host_key)
        except TargetError as error:
            if node.kind is not Kind.MACHINE or error.key != SSH_FAILED or time.monotonic() + _PAUSE >= end:
                raise
        await asyncio.sleep(_PAUSE)


async def _start_container(node: Node) -> None:
    name = parse_endpoint(node.endpoint).name
    if any(builder.name == name for builder in builders()):
        await _buildx("inspect", "--bootstrap", name)
        return
    try:
        await _buildx(*create_words(node))
    except QuarterdeckError:
        # buildx keeps a builder that never started; then the next attempt would not begin anew.
        with contextlib.suppress(QuarterdeckError):
            await _buildx("rm", "--force", name)
        raise


def create_words(node: Node) -> list[str]:
    """Return what follows ``docker buildx`` to make a container builder: option ``context`` is where, all others go to its driver."""
    words = ["create", "--name", parse_endpoint(node.endpoint).name, "--driver", "docker-container", "--bootstrap"]
    options = {key: value for key, value in node.options.items() if key != "context"}
    words += [f"--driver-opt={_csv(f'{key}={value}')}" for key, value in options.items()]
    words += ["--platform", ",".join(map(str, node.platforms))] if node.platforms else []
    return [*words, *([node.options["context"]] if "context" in node.options else [])]


async def ensure_builder(node: Node) -> str:
    """Return the name of buildx's builder for a BuildKit daemon, which is made at the first time: buildx is BuildKit's client.

    Raises:
        HostError: buildx is not installed.
        TargetError: buildx refuses.
    """
    name = f"quarterdeck-{node.name}"
    if all(builder.name != name for builder in builders()):
        await _buildx(*remote_words(node))
    return name


def remote_words(node: Node) -> list[str]:
    """Return what follows ``docker buildx`` to make the builder for a BuildKit daemon."""
    files = {"cacert": node.tls.ca, "cert": node.tls.certificate, "key": node.tls.key, "servername": node.tls.server_name}
    options = [f"--driver-opt={_csv(f'{key}={value}')}" for key, value in files.items() if value]
    return ["create", "--name", f"quarterdeck-{node.name}", "--driver", "remote", *options, node.endpoint]


def _csv(field: str) -> str:
    """Return a field as buildx reads it: its options are a line of CSV, RFC 4180."""
    return f'"{field.replace(chr(34), chr(34) * 2)}"' if any(sign in field for sign in ',"\n') else field


async def _buildx(*words: str, env: Mapping[str, str] | None = None) -> None:
    await buildx_version(DEADLINE)
    argv = DockerClient().argv("buildx", *words)
    done = await process.run_async(argv, env=env, timeout=BOOTSTRAP_SECONDS, check=False)
    if done.returncode:
        lines = [line for line in done.stderr.decode(errors="replace").splitlines() if line.strip()]
        hint = f"the command was: {shlex.join(argv)}"
        raise TargetError("buildx-refused", f"docker buildx {words[0]} failed", reason=lines[-1] if lines else "", hint=hint)


async def check_new(node: Node) -> None:
    """See that what a new node stands on is there.

    Raises:
        UsageError: there is no such context, or a container builder would take the name of somebody else's.
        HostError: a builder has no such node.
    """
    endpoint = parse_endpoint(node.endpoint)
    names = [builder.name for builder in builders()]
    if node.kind is Kind.DOCKER_CONTEXT:
        contexts = await context_names()
        if endpoint.name not in contexts:
            other = f"there is a builder of this name: buildx://{endpoint.name}" if endpoint.name in names else ""
            known = f"contexts are: {', '.join(contexts)}" if contexts else "the docker client, which has them, is not installed"
            hint = other or f"{known}; a host is written ssh://{endpoint.name}"
            raise UsageError("no-such-context", f"there is no Docker context '{endpoint.name}'", hint=hint)
    if node.kind is Kind.CONTAINER and endpoint.name in names:
        hint = f"use it as it is: buildx://{endpoint.name}"
        raise UsageError("builder-exists", f"there is a builder '{endpoint.name}' already, which is not ours", hint=hint)
    if node.kind is Kind.BUILDX and endpoint.name not in names:
        hint = f"builders are: {', '.join(names)}" if names else f"make one: docker-container://{endpoint.name}"
        raise UsageError("no-such-builder", f"buildx has no builder '{endpoint.name}'", hint=hint)
    if node.kind is Kind.BUILDX:
        builder_at(endpoint)


async def remove(store: NodeStore, name: str, *, keep_builder: bool = False) -> Node:
    """Forget a node; a container builder that was made for it goes with its cache, unless it is kept.

    Raises:
        UsageError: there is no such node, or it is this host.
        QuarterdeckError: its builder cannot be removed; then the node stays too.
    """
    node = store.load().get(name)
    builder = _own_builder(node)
    if builder and not (keep_builder and node.kind is Kind.CONTAINER) and any(one.name == builder for one in builders()):
        await _buildx("rm", "--force", builder)
    removed = store.remove(name)
    if node.kind in _BEHIND_SSH:
        await _hang_up(node)
    return removed


def _own_builder(node: Node) -> str:
    """Return the name of the builder that was made for a node, empty when there is none."""
    match node.kind:
        case Kind.CONTAINER:
            return parse_endpoint(node.endpoint).name
        case Kind.BUILDKIT:
            return f"quarterdeck-{node.name}"
    return ""


async def _hang_up(node: Node) -> None:
    try:
        async with asyncio.timeout(DEADLINE):
            await close(ssh_address(node))
    except (QuarterdeckError, TimeoutError):
        # A machine that does not run has no connection either.
        return
