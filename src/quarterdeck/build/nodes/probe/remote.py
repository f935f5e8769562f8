"""Hosts behind SSH: asked by a script that runs a program of each architecture there, and their Docker Engine by its own word too."""

from __future__ import annotations

from quarterdeck.build.nodes.classify import better
from quarterdeck.build.nodes.model import EngineName
from quarterdeck.build.nodes.probe.answer import Answer
from quarterdeck.build.nodes.probe.engines import docker_platforms
from quarterdeck.build.nodes.probe.script import COMMAND, provable, script
from quarterdeck.build.nodes.probe.survey import Survey, findings, parse_survey
from quarterdeck.build.nodes.ssh import SshAddress, ssh_argv, ssh_run


async def survey(address: SshAddress, *, timeout: float, accept_host_key: bool = False) -> Survey:
    """Ask a host what it is.

    Raises:
        TargetError: nobody can log in there, or what answers is no Linux host.
        DeadlineError: it took longer than ``timeout`` seconds.
    """
    done = await ssh_run(address, COMMAND, input=script(provable()), timeout=timeout, accept_host_key=accept_host_key, check=False)
    return parse_survey(done.text)


async def probe_ssh(address: SshAddress, *, timeout: float, accept_host_key: bool = False) -> Answer:
    """Return what a host behind SSH is.

    Raises: as :func:`survey`.
    """
    answer = await survey(address, timeout=timeout, accept_host_key=accept_host_key)
    found, notes = findings(answer)
    if any(engine.name is EngineName.DOCKER for engine in answer.engines):
        # BuildKit may have emulators of its own, which the kernel does not know.
        worded, more = await docker_platforms(ssh_argv(address, ["docker", "system", "dial-stdio"]), answer.arch)
        found, notes = better(found, worded), (*notes, *more)
    return Answer(found, answer.engines, answer.cpus, answer.memory, notes)
