"""Which stages need which: circles are refused, and what the target does not need is not built."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Needs = Mapping[int, frozenset[int]]


def reachable(target: int, needs: Needs) -> frozenset[int]:
    """Return ``target`` and all that it needs, however far away."""
    found: set[int] = set()
    waiting = [target]
    while waiting:
        index = waiting.pop()
        if index not in found:
            found.add(index)
            waiting.extend(needs[index])
    return frozenset(found)


def circle(needs: Needs) -> Sequence[int]:
    """Return the stages of a circle in order, the first again at its end; nothing when there is none."""
    done: set[int] = set()
    for start in needs:
        found = _circle_from(start, needs, done)
        if found:
            return found
    return ()


def _circle_from(start: int, needs: Needs, done: set[int]) -> Sequence[int]:
    """Depth first and without recursion: a file may have thousands of stages."""
    path: dict[int, None] = {}
    waiting = [(start, False)]
    while waiting:
        index, leaving = waiting.pop()
        if leaving:
            done.add(path.popitem()[0])
        elif index in path:
            order = list(path)
            return [*order[order.index(index) :], index]
        elif index not in done:
            path[index] = None
            waiting.append((index, True))
            waiting.extend((needed, False) for needed in sorted(needs[index], reverse=True))
    return ()
