"""A Docker Engine that is started again in the middle of a build, as its updates do: the build goes on with the new one."""

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.engines.daemon import stop
from tests.engines.docker import Docker, docker_engine
from tests.engines.fixtures import folder_for
from tests.foreign_roots import busybox

from quarterdeck.build.dockerfile.parser import parse
from quarterdeck.build.engines.events import LogLine
from quarterdeck.build.nodes.choice import Policy, assign
from quarterdeck.build.nodes.model import EngineName, Kind, Node
from quarterdeck.build.nodes.probe.run import probe
from quarterdeck.build.planning.model import PlanOptions
from quarterdeck.build.planning.place import resolver
from quarterdeck.build.platform import Platform
from quarterdeck.build.run import loss
from quarterdeck.build.run.crew import Crew, Site
from quarterdeck.build.run.events import Progressed, RunEvent, Started
from quarterdeck.build.run.order import BuildOrder
from quarterdeck.core.arch import host_arch
from quarterdeck.core.handle import ProcessHandle
from quarterdeck.core.process import spawn
from quarterdeck.core.report import Message

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

HOST = Platform.of_host()
LOCAL = Node(name="local", kind=Kind.LOCAL, endpoint="local")
# The first one is ended before it gets that far.
DOCKERFILE = 'FROM scratch\nCOPY busybox /bin/busybox\nRUN ["/bin/busybox", "sh", "-c", "echo started; sleep 5; echo done >/file"]\n'


class Mortal:
    """An engine that can be started again as it was; what takes its place ends with the test."""

    def __init__(self, engine: Docker) -> None:
        self._pidfile = engine.socket.parent / "dockerd.pid"
        self._log = engine.socket.parent / "again.log"
        self.second: ProcessHandle | None = None

    def restart(self) -> None:
        pid = int(self._pidfile.read_text(encoding="ascii"))
        words, variables = (Path(f"/proc/{pid}/{name}").read_text(encoding="utf-8").split("\0")[:-1] for name in ("cmdline", "environ"))
        os.kill(pid, signal.SIGTERM)
        while self._pidfile.exists():
            time.sleep(0.1)
        with self._log.open("ab") as log:
            self.second = spawn(words, log=log.fileno(), env=dict(one.split("=", 1) for one in variables))


@pytest.fixture
def mortal(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mortal]:
    with docker_engine(folder_for(tmp_path_factory, "restarted")) as engine:
        for name, value in engine.env.items():
            monkeypatch.setenv(name, value)
        # Processors may be busy with other tests.
        monkeypatch.setattr(loss, "_SECONDS", 120.0)
        made = Mortal(engine)
        yield made
        if made.second is not None:
            stop(made.second)


async def test_a_build_goes_on_with_an_engine_that_was_started_again(mortal: Mortal, tmp_path: Path) -> None:
    (tmp_path / "busybox").write_bytes(await asyncio.to_thread(busybox, host_arch().name))
    (tmp_path / "busybox").chmod(0o755)
    (tmp_path / "Dockerfile").write_text(DOCKERFILE)
    parsed = parse(DOCKERFILE)
    order = BuildOrder(
        context=str(tmp_path), dockerfile=parsed, file=tmp_path / "Dockerfile", platforms=(HOST,), engine=EngineName.DOCKER, network="host"
    )
    facts = await probe(LOCAL, wanted=[HOST])
    events: list[RunEvent] = []
    restarts: list[asyncio.Task[None]] = []

    def report(event: RunEvent) -> None:
        events.append(event)
        if isinstance(event, Progressed) and isinstance(event.event, LogLine) and event.event.text == "started" and not restarts:
            restarts.append(asyncio.create_task(asyncio.to_thread(mortal.restart)))

    crew = Crew(
        order, [Site(LOCAL, facts)], assign([HOST], [facts]), policy=Policy(), resolve=resolver(parsed, PlanOptions()), report=report
    )
    (built,) = await crew.build(tmp_path)
    await restarts[0]
    assert built.result.engine is EngineName.DOCKER
    assert built.result.path.exists()
    assert len([event for event in events if isinstance(event, Started)]) == 2
    (said,) = [event.text for event in events if isinstance(event, Message)]
    assert said == f"the engine of node local went away, and the node answers: {HOST} is tried once more there"
