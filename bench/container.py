"""How long until the guest agent answers: in a new container of the image, against ``qd run`` on the host.

Both make a new machine of the same guest, in turns. The image has a QEMU of its own, which may be newer than the host's.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from bench.boxes import Yard, yard
from bench.figures import Figure, in_turns, median, seconds, spread

_GOAL = 1.5


def measure(runs: int) -> Iterator[Figure]:
    """Yield the time to agent ready, from ``runs`` new machines each way."""
    with yard() as place:
        numbers = count()
        inside, outside = in_turns(runs, lambda: _container(place, next(numbers)), lambda: _host(place, next(numbers)))
    value, baseline = median(inside), median(outside)
    yield Figure(
        "docker run, until the agent answers",
        value,
        "s",
        "qd run on the host",
        baseline,
        f"at most {_GOAL} x",
        value <= _GOAL * baseline,
        spread(inside),
    )


def _container(place: Yard, number: int) -> float:
    box = place.lab.prepare(f"box{number}")

    def boot() -> None:
        box.run()
        place.await_ready(box)

    try:
        return seconds(boot)
    finally:
        place.lab.engine("rm", "--force", box.name)


def _host(place: Yard, number: int) -> float:
    name = f"machine{number}"
    running = place.machine(name)
    try:
        return seconds(running.__enter__)
    finally:
        running.__exit__(None, None, None)
