"""How fast data come to a guest by each kind of network, as shares of what the loopback device does in the same run.

The guest counts the bytes that arrive and answers with their number, so none are in flight when the clock stops; the same programs do that
on the loopback device. For the latency one byte goes there and back again and again over one connection.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

from tests.boot.container_lab import OWN_NETWORK, SERVE, Box, Guest
from tests.engines.daemon import daemon

from bench.boxes import Yard, yard
from bench.figures import Figure, in_turns, median, spread
from quarterdeck.core import process

_COUNTING, _ECHOING = 9000, 9001
_BYTES = 64 << 20
_EXCHANGES = 200
_LISTEN = f"(nc -ll -p {_COUNTING} -e wc -c & nc -ll -p {_ECHOING} -e cat &) >/dev/null 2>&1"
_CLIENT = """
import socket, sys, time
address, counting, echoing, size, exchanges = sys.argv[1], *map(int, sys.argv[2:])
with socket.create_connection((address, counting)) as to:
    begin, piece, left = time.perf_counter(), bytes(1 << 18), size
    while left:
        left -= to.send(piece[:left])
    to.shutdown(socket.SHUT_WR)
    answer = b""
    while more := to.recv(99):
        answer += more
    rate = size / (time.perf_counter() - begin)
    assert int(answer) == size, answer
with socket.create_connection((address, echoing)) as to:
    to.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    times = []
    for _ in range(exchanges):
        begin = time.perf_counter()
        to.send(b"x")
        to.recv(1)
        times.append(time.perf_counter() - begin)
print(rate / 1e6, sorted(times)[exchanges // 2] * 1e3)
"""


@dataclass(frozen=True)
class _Way:
    """One way to a guest, or to the loopback device: a client's command, and the two ports."""

    name: str
    argv: Callable[[list[str]], list[str]]
    address: str
    ports: tuple[int, int] = (_COUNTING, _ECHOING)

    def sample(self) -> tuple[float, float]:
        """Return megabytes a second, and the milliseconds of one exchange."""
        words = [sys.executable, "-c", _CLIENT, self.address, *map(str, (*self.ports, _BYTES, _EXCHANGES))]
        rate, latency = process.run(self.argv(words), timeout=600).text.split()
        return float(rate), float(latency)


def measure(runs: int) -> Iterator[Figure]:
    """Yield throughput and latency of each way, from ``runs`` samples in turns."""
    with yard() as place, ExitStack() as stack:
        ways = [_loopback(place, stack), *_containers(place, stack), *_outside(place, stack)]
        taken: dict[str, list[float]] = {way.name: [] for way in ways}

        def sampler(way: _Way) -> Callable[[], float]:
            def sample() -> float:
                rate, latency = way.sample()
                taken[way.name].append(latency)
                return rate

            return sample

        rates = dict(zip(taken, in_turns(runs, *map(sampler, ways)), strict=True))
    limit, best = median(rates["loopback"]), median(taken["loopback"])
    for name in list(taken)[1:]:
        slowest = min(median(rates[other]) for other in taken)
        rate, latency = median(rates[name]), median(taken[name])
        goal = "faster than the slowest way" if "tap" in name else "for comparison"
        yield Figure(
            f"to the guest: {name}", rate, "MB/s", "loopback", limit, goal, "tap" not in name or rate > slowest, spread(rates[name])
        )
        yield Figure(f"there and back: {name}", latency, "ms", "loopback", best, "for comparison", True, spread(taken[name]))


def _loopback(place: Yard, stack: ExitStack) -> _Way:
    folder = place.lab.home
    for port, words in ((_COUNTING, ("wc", "-c")), (_ECHOING, ("cat",))):
        argv = place.namespace.argv(["busybox", "nc", "-ll", "-p", str(port), "-e", "/bin/busybox", *words])
        stack.enter_context(daemon(argv, log=folder / f"loopback-{port}.log", ready=lambda _: True))
    return _Way("loopback", place.namespace.argv, "127.0.0.1")


def _containers(place: Yard, stack: ExitStack) -> Iterator[_Way]:
    ports = f"--env=PORTS={_COUNTING}:{_COUNTING},{_ECHOING}:{_ECHOING}"
    modes = {
        "user": ("--env=NETWORK=user", ports),
        # Docker's own profile forbids passt the namespaces that it shuts itself in.
        "passt": ("--env=NETWORK=passt", ports, "--security-opt=seccomp=unconfined"),
        "tap": ("--env=NETWORK=tap", *OWN_NETWORK),
    }
    for name, options in modes.items():
        box = stack.enter_context(place.box(name, *options))
        _serve(box.guest)
        yield _Way(f"{name} in a container", place.namespace.argv, _address(box))


def _outside(place: Yard, stack: ExitStack) -> Iterator[_Way]:
    for number, mode in enumerate(("user", "passt")):
        ports = (29000 + 10 * number, 29001 + 10 * number)
        published = (f"{ports[0]}:{_COUNTING}", f"{ports[1]}:{_ECHOING}")
        options = ("--network", mode, *(word for port in published for word in ("--port", port)))
        _serve(stack.enter_context(place.machine(f"outside-{mode}", *options)))
        yield _Way(f"{mode} outside", lambda words: words, "127.0.0.1", ports)


def _serve(guest: Guest) -> None:
    guest.sh(f"{SERVE}; {_LISTEN}")


def _address(box: Box) -> str:
    return box.inspect("{{.NetworkSettings.IPAddress}}")
