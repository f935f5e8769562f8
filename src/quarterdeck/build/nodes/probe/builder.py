"""Builders of buildx: each of their nodes is asked, and the answers are put together."""

from __future__ import annotations

import asyncio
from pathlib import Path

from quarterdeck.build.nodes.builders import Builder, BuilderNode
from quarterdeck.build.nodes.classify import Findings, better
from quarterdeck.build.nodes.docker import DockerClient, docker_info
from quarterdeck.build.nodes.endpoint import parse_endpoint
from quarterdeck.build.nodes.model import EngineFacts, EngineName, Runs, Tls
from quarterdeck.build.nodes.probe.answer import Answer
from quarterdeck.build.nodes.probe.engines import probe_behind, probe_buildkit
from quarterdeck.build.platform import Platform
from quarterdeck.core import process
from quarterdeck.errors import HostError, QuarterdeckError, TargetError

_SEVERAL = (
    "buildx itself chooses among its nodes, and takes the first that runs a platform, native or not; 'qd nodes use {}' takes each by itself"
)


async def probe_builder(builder: Builder, *, timeout: float) -> Answer:
    """Return what a builder is: nodes that are down are noted.

    Raises:
        HostError: buildx is not installed.
        TargetError: no node of it answers.
    """
    version = await buildx_version(timeout)
    answers = await asyncio.gather(*(_probe(builder, node, timeout) for node in builder.nodes), return_exceptions=True)
    good = [answer for answer in answers if isinstance(answer, Answer)]
    bad = [error for error in answers if isinstance(error, BaseException)]
    for error in bad:
        if not isinstance(error, QuarterdeckError | TimeoutError | OSError):
            raise error
    if not good:
        first = next((error for error in bad if isinstance(error, QuarterdeckError)), None)
        reason = f"{first.message}: {first.reason}" if first else "it has no nodes" if not builder.nodes else "they take too long to answer"
        raise TargetError("builder-down", f"no node of the builder '{builder.name}' answers", reason=reason, hint=_start(builder))
    found: Findings = {}
    for answer in good:
        found = better(found, answer.found)
    down = tuple(f"a node of it is down: {error.message if isinstance(error, QuarterdeckError) else error}" for error in bad)
    return Answer(
        found,
        (EngineFacts(EngineName.BUILDX, version),),
        sum(answer.cpus for answer in good),
        sum(answer.memory for answer in good),
        (*down, *((_SEVERAL.format(builder.name),) if len(builder.nodes) > 1 else ())),
    )


def _start(builder: Builder) -> str:
    return f"start it: docker buildx inspect --bootstrap {builder.name}"


async def buildx_version(timeout: float) -> str:
    """Return the version of buildx.

    Raises:
        HostError: it is not installed.
    """
    done = await process.run_async(DockerClient().argv("buildx", "version"), timeout=timeout, check=False)
    words = done.text.split()
    # Without the plugin, docker prints its help and ends with 0 or 1 as its version likes.
    if done.returncode or len(words) < 2 or "buildx" not in words[0]:
        raise HostError(
            "buildx-missing", "docker buildx is not installed", hint="install it: apt install docker-buildx (from Debian 13 on)"
        )
    return words[1].removeprefix("v")


async def _probe(builder: Builder, node: BuilderNode, timeout: float) -> Answer:
    match builder.driver:
        case "docker-container":
            client = node_client(node)
            answer, info = await asyncio.gather(
                probe_behind(client.argv("exec", "-i", f"buildx_buildkit_{node.name}", "buildctl", "dial-stdio")),
                docker_info(client, timeout=timeout),
            )
            answer = Answer(answer.found, answer.engines, info.cpus, info.memory)
        case "remote":
            answer = await probe_buildkit(parse_endpoint(node.endpoint), _tls(node))
        case _:
            answer = Answer(_fixed(node), ())
    return Answer(_only(answer.found, node), answer.engines, answer.cpus, answer.memory)


def node_client(node: BuilderNode) -> DockerClient:
    """Return the docker client that speaks to the Engine in which a node's container is."""
    return DockerClient(host=node.endpoint) if "://" in node.endpoint else DockerClient(context=node.endpoint)


def _tls(node: BuilderNode) -> Tls:
    files = {key: Path(node.options[key]) for key in ("cacert", "cert", "key") if key in node.options}
    return Tls(files.get("cacert"), files.get("cert"), files.get("key"), node.options.get("servername", ""))


def _only(found: Findings, node: BuilderNode) -> Findings:
    """Keep what is fixed for the node, as buildx does when it chooses."""
    return {platform: how for platform, how in found.items() if platform in node.platforms} if node.platforms else found


def _fixed(node: BuilderNode) -> Findings:
    platforms: tuple[Platform, ...] = node.platforms
    if not platforms:
        hint = "fix the platforms of its nodes: docker buildx create --append --node NAME --platform ..."
        raise TargetError("builder-not-asked", "builders of this driver cannot be asked for platforms", hint=hint)
    return dict.fromkeys(platforms, (Runs.NATIVE, "it is fixed for a node of the builder, which cannot be asked"))
