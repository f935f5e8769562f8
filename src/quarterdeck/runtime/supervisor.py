"""The supervisor of one machine: starts it or takes it over, obeys commands, and says when it is finished."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Coroutine, Sequence
from typing import Any

from quarterdeck.core.handle import ProcessHandle
from quarterdeck.core.report import Level, Message, Step, StepStatus
from quarterdeck.errors import QuarterdeckError, UsageError
from quarterdeck.guest.qga import GuestAgent
from quarterdeck.machine.layout import MachineLayout
from quarterdeck.machine.spec import MachineSpec
from quarterdeck.runtime import ladder, launch, logs, screen, spice, statefile, takeover, view
from quarterdeck.runtime.balloon.watch import BalloonWatch
from quarterdeck.runtime.events import EventLog
from quarterdeck.runtime.guestwatch import GuestWatch
from quarterdeck.runtime.hotplug.watch import UsbWatch
from quarterdeck.runtime.instance import Instance
from quarterdeck.runtime.life import Ended, Life, Watchers
from quarterdeck.runtime.metrics import Metrics
from quarterdeck.runtime.serial_hub import SerialHub, SerialViewer
from quarterdeck.runtime.state import EXECUTING, RESTING, State, Trigger
from quarterdeck.runtime.statefile import CorruptStateError, ProcessId, StoredState
from quarterdeck.runtime.status import Status
from quarterdeck.runtime.storage.service import Storage
from quarterdeck.runtime.storage.subject import Live
from quarterdeck.runtime.store import MachineStore, lock_machine, read_spec, unwritable

_PAST_SERIAL_BYTES = 64 * 1024


class Supervisor:
    """One machine and all that is done with it; satisfies ``console.backend.MachineBackend``.

    :meth:`open` takes the machine's lock; :meth:`run` starts or adopts QEMU and returns the exit code when the
    machine is finished. Everything belongs to one event loop.
    """

    def __init__(self, layout: MachineLayout, spec: MachineSpec, lock: int, stored: StoredState) -> None:
        self.layout = layout
        self.name = layout.root.name
        self.events = EventLog()
        self._spec = spec
        self.spice = spice.SpiceDoor(self._with_screen, lambda: self._spec)
        self._lock = lock
        self._status = Status(layout, self.events, stored)
        self._guest = GuestWatch(self._status, self.events)
        self._metrics = Metrics(self.events, self._guest.traffic)
        self._serial = SerialHub(logs.tail(layout.serial_log, _PAST_SERIAL_BYTES))
        self.usb = UsbWatch(self._status, lambda: self._spec)
        balloon = BalloonWatch(self._status, lambda: self._spec)
        self._watchers = Watchers(self.events, self._status, self._serial, self._guest, self._metrics, balloon, self.usb)
        self.storage = Storage(layout, self._status.report, self._storage_situation)
        self.lingers = False
        """Whether this supervisor stays with its console when the guest powers itself off, so that it can be started again there."""
        self._instance: Instance | None = None
        self._life: Life | None = None
        self._work: asyncio.Task[None] | None = None
        self._stopping: asyncio.Task[None] | None = None
        self._again = False
        self._stay = False
        self._stop_asked = False
        self._stop_timeout = ladder.DEFAULT_SECONDS
        self._adopting = False
        self._finished: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    @classmethod
    def open(cls, store: MachineStore, name: str) -> Supervisor:
        """Take charge of machine ``name``; to be called inside the event loop that will run it.

        Raises:
            UsageError: there is no such machine, another supervisor has it (``machine-busy``), or its spec is damaged.
        """
        layout = store.layout(name)
        lock = lock_machine(layout)
        try:
            return cls(layout, read_spec(layout), lock, _stored(layout))
        except BaseException:
            os.close(lock)
            raise

    @property
    def finished(self) -> asyncio.Future[int]:
        """Done with the exit code when the machine is finished and this supervisor should end."""
        return self._finished

    @property
    def spec(self) -> MachineSpec:
        """What the machine was made from."""
        return self._spec

    @property
    def state(self) -> State:
        """The present state."""
        return self._status.state

    def viewer_at(self, url: str | None) -> None:
        """Tell where the web console listens, for ``qd ls`` and for those who watch the steps."""
        self._status.change(viewer=url)
        detail = "no viewer was asked for" if url is None else url
        self._status.report(Step("console", StepStatus.DONE, detail))

    async def run(self) -> int:
        """Take over the running QEMU, or start one; return the exit code when the machine is finished.

        0: stopped as asked, or the guest powered itself off; else that of the error. When cancelled, QEMU is ended too.
        """
        self._status.change()
        self._begin(self._adopt_or_start())
        try:
            return await asyncio.shield(self._finished)
        finally:
            await self._close()

    async def start(self) -> None:
        """Start the machine again. Raises: UsageError ``wrong-state`` when it is not at rest."""
        self._require(RESTING, "start")
        if self.storage.busy or (self._work is not None and not self._work.done()):
            raise UsageError("wrong-state", f"machine '{self.name}' is just changing: it cannot start now")
        self._begin(self._start())

    async def stop(self, timeout: float | None = None, *, stay: bool = False) -> None:
        """Begin the stop ladder: agent, power button, quit after ``timeout`` seconds (None: 110).

        ``stay`` keeps the supervisor, so that the machine can be started again from the web console. A second call
        replaces the ladder, with its own timeout.
        """
        self._again = False
        self._begin_stop(ladder.DEFAULT_SECONDS if timeout is None else timeout, stay=stay)

    async def restart(self, timeout: float | None = None) -> None:
        """Stop the guest as :meth:`stop` does and start the machine from its spec again."""
        if self.state in RESTING:
            await self.start()
            return
        self._again = True
        self._begin_stop(ladder.DEFAULT_SECONDS if timeout is None else timeout, stay=self._stay)

    async def kill(self, *, stay: bool = False) -> None:
        """Pull the plug. ``stay`` as for :meth:`stop`."""
        self._again = False
        self._begin_stop(0.0, stay=stay)

    async def reset(self) -> None:
        """Press the reset button; a guest that is halted runs again."""
        instance = self._running(EXECUTING | {State.PAUSED, State.PANICKED, State.IO_ERROR, State.STOPPING}, "reset")
        await instance.qmp.reset()
        if not (await instance.qmp.status()).running:
            await instance.qmp.cont()

    async def pause(self) -> None:
        """Stop the guest's processors."""
        await self._running(EXECUTING, "pause").qmp.stop()

    async def resume(self) -> None:
        """Let the guest's processors run again: after a pause, sleep, panic or disk error."""
        instance = self._running(frozenset({State.PAUSED, State.IO_ERROR, State.PANICKED}), "resume")
        if (await instance.qmp.status()).status == "suspended":
            await instance.qmp.wake()
        else:
            await instance.qmp.cont()

    async def screenshot(self) -> bytes:
        """Return the screen as PNG. Raises: UsageError ``no-screen`` when there is none."""
        return await screen.take(self._with_screen())

    async def send_keys(self, keys: Sequence[str]) -> None:
        """Press one combination of QEMU key names. Raises: UsageError ``invalid-keys`` for names that QEMU does not know."""
        await screen.press(self._with_screen(), keys)

    async def open_vnc(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect to QEMU's VNC server. Raises: UsageError ``no-screen`` when there is none now."""
        return await screen.open_vnc(self._with_screen())

    async def guest_facts(self) -> dict[str, Any]:
        """Return the answer of ``GET /guest``."""
        return await self._guest.refresh()

    def metrics(self) -> dict[str, Any]:
        """Return the answer of ``GET /metrics``."""
        return self._metrics.to_json()

    def log_tail(self, name: str, size: int) -> bytes:
        """Return at most the last ``size`` bytes of log ``serial``, ``qemu`` or ``supervisor``."""
        return logs.tail(view.log_path(self.layout, name), size)

    def attach_serial(self, *, past: bool = True) -> SerialViewer:
        """Watch the serial console, with its recent past or without; lasts over restarts of the machine."""
        return self._serial.attach(past=past)

    def describe(self, *, private: bool) -> dict[str, Any]:
        """Return the machine's JSON of docs/architecture.md; the login only when ``private``."""
        login = view.login(self.layout, self._spec, self._status.stored) if private else None
        return {
            **view.machine_json(self.name, self._status.stored),
            "agent": self._guest.answering,
            "login": login,
            "steps": self._status.steps,
            "view_only": not private,
        }

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        self._work = asyncio.create_task(work)
        self._work.add_done_callback(self._check)

    def _check(self, work: asyncio.Task[None]) -> None:
        """Let an unexpected exception end the supervisor instead of leaving it idle for ever."""
        if not work.cancelled() and (error := work.exception()) is not None and not self._finished.done():
            self._finished.set_exception(error)

    async def _adopt_or_start(self) -> None:
        self._adopting = True
        try:
            instance = await takeover.find(self.layout, self._status.stored)
            if instance is None:
                await self._clear()
        except QuarterdeckError as error:
            self._status.fail(error)
            self._finish(error.exit_code)
            return
        finally:
            self._adopting = False
        if instance is not None:
            self._status.report(Message(Level.INFO, f"took over QEMU (pid {instance.process.pid}), which ran without a supervisor"))
            await self._live(instance, adopted=True)
        elif self._stop_asked:
            self._settle(Ended("stopped as asked"))
        else:
            await self._start()

    async def _clear(self) -> None:
        cleared = await takeover.clear(self.layout, self._status.stored)
        self._status.change(qemu=cleared.qemu, helpers=cleared.helpers)
        self._status.apply(Trigger.DIED, "the earlier run was interrupted")

    async def _start(self) -> None:
        """Prepare, launch and follow one life; failures become the state ``crashed``."""
        self._again = self._stop_asked = False
        self._status.begin()
        self._status.apply(Trigger.PREPARE)
        try:
            instance = await self._launch()
        except QuarterdeckError as error:
            self._settle(Ended(error.message, error))
        except OSError as error:
            self._settle(Ended("the machine could not be prepared", unwritable(error)))
        except asyncio.CancelledError:
            self._settle(Ended("stopped while it was being prepared"))
            if not self._stop_asked:
                raise
        else:
            await self._live(instance, adopted=False)

    async def _launch(self) -> Instance:
        report = self._status.report
        await self.storage.recover(None)
        self._spec = read_spec(self.layout)  # growing a disk or moving it to a layer changes it
        planned = await launch.plan(self.layout, self._spec, report)
        self._status.change(**view.planned_fields(planned))
        await launch.make_ready(planned, self._spec, report)
        report(Step("qemu", StepStatus.RUNNING, f"starting {os.path.basename(planned.resolved.qemu)}"))
        instance = await launch.launch(planned, self._register)
        self._status.apply(Trigger.LAUNCHED)
        report(Step("qemu", StepStatus.DONE, f"pid {instance.process.pid}"))
        return instance

    def _register(self, name: str, process: ProcessHandle) -> None:
        if name == "qemu":
            self._status.record(qemu=ProcessId.of(process))
        else:
            self._status.record(helpers=(*self._status.stored.helpers, (name, ProcessId.of(process))))

    async def _live(self, instance: Instance, *, adopted: bool) -> None:
        self._instance = instance
        self._life = Life(instance, self._watchers)
        self._life.asked = self._stop_asked
        ended = Ended("ended together with its supervisor")
        try:
            ended = await self._follow(instance, self._life, adopted=adopted)
        finally:
            await instance.close()
            self._instance = self._life = None
            self._settle(ended)

    async def _follow(self, instance: Instance, life: Life, *, adopted: bool) -> Ended:
        try:
            if adopted:
                await life.adopt()
                await self._recover_storage(instance)
            if self._stop_asked:
                self._climb_down(instance)
            elif self.state is State.STARTING:
                await self._let_go(instance)
            return await life.follow()
        except QuarterdeckError as error:
            return Ended(error.message, error)

    async def _recover_storage(self, instance: Instance) -> None:
        """A failure keeps nobody from the machine that runs: the next operation tries again."""
        path = instance.socket("agent")
        agent = None if path is None else GuestAgent(path)
        try:
            await self.storage.recover(Live(instance, agent))
        except QuarterdeckError as error:
            self._status.report(Message(Level.WARNING, f"{error.message}: {error.reason}"))
        finally:
            if agent is not None:
                await agent.close()

    def _storage_situation(self) -> Live | None:
        if self.state in RESTING:
            return None
        instance = self._running(EXECUTING | {State.PAUSED, State.IO_ERROR, State.PANICKED}, "have its disks worked on")
        return Live(instance, self._guest.agent if self._guest.answering else None)

    async def _let_go(self, instance: Instance) -> None:
        """Let the guest begin."""
        waits = instance.socket("agent") is not None
        detail = "waiting for the guest agent" if waits else "runs"
        self._status.report(Step("guest", StepStatus.RUNNING if waits else StepStatus.DONE, detail))
        await instance.qmp.cont()

    def _settle(self, ended: Ended) -> None:
        """Enter the final state of a life and decide what comes next."""
        self._status.apply(Trigger.ENDED if ended.error is None else Trigger.DIED, ended.reason)
        self._status.change(qemu=None, helpers=(), sockets=())
        if ended.error is not None and not self._again:
            self._status.fail(ended.error)
        if self._again:
            self._begin(self._start())
        elif not self._stay and not self._lingers(ended):
            self._finish(0 if ended.error is None else ended.error.exit_code)

    def _lingers(self, ended: Ended) -> bool:
        return self.lingers and ended.error is None and not self._stop_asked

    def _begin_stop(self, timeout: float, *, stay: bool) -> None:
        self._stay = stay
        if self.state in RESTING:
            if not stay:
                self._finish(0)
            return
        self._stop_asked, self._stop_timeout = True, timeout
        self._status.apply(Trigger.STOP_ASKED)
        if self._instance is not None:
            self._climb_down(self._instance)
        elif not self._adopting and self._work is not None:
            self._work.cancel()

    def _climb_down(self, instance: Instance) -> None:
        """Begin the stop ladder, in place of one that is under way."""
        assert self._life is not None
        self._life.asked = True
        self._status.apply(Trigger.STOP_ASKED)
        if self._stopping is not None:
            self._stopping.cancel()
        agent = self._guest.agent if self._guest.answering else None
        self._stopping = asyncio.create_task(ladder.stop(instance, agent, self._status.report, timeout=self._stop_timeout))

    def _finish(self, code: int) -> None:
        if not self._finished.done():
            self._finished.set_result(code)

    async def _close(self) -> None:
        """End all tasks, and QEMU with them when it still runs; give the lock back."""
        await self.storage.cancel()
        tasks = [task for task in (self._stopping, self._work) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._serial.close()
        self._status.gone()
        self.events.close()
        os.close(self._lock)

    def _require(self, states: frozenset[State], action: str) -> None:
        if self.state not in states:
            raise UsageError("wrong-state", f"machine '{self.name}' is {self.state.value}: it cannot {action} now")

    def _running(self, states: frozenset[State], action: str) -> Instance:
        self._require(states, action)
        if self._instance is None:
            raise UsageError("wrong-state", f"machine '{self.name}' is just changing: it cannot {action} now")
        return self._instance

    def _with_screen(self) -> Instance:
        if self._instance is None or self._status.stored.display == "none":
            raise UsageError("no-screen", f"machine '{self.name}' has no screen now")
        return self._instance


def _stored(layout: MachineLayout) -> StoredState:
    """Return what is known of the machine; a damaged file is as good as none, since processes are found by their arguments too."""
    try:
        return statefile.read(layout.state)
    except CorruptStateError:
        return StoredState(state=State.CREATED)
