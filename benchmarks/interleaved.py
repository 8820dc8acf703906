"""Times several ways to do a thing in turns, so that load of the machine affects all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from time import perf_counter

import numpy as np

UNCOUNTED = 3
"""Rounds before the first one that counts."""


def seconds_in_turns(
    ways: Mapping[str, Callable[[], object]], rounds: int, *, between: Callable[[], object] | None = None
) -> dict[str, float]:
    """Return the median seconds of each way over `rounds` rounds.

    `between` runs before each call and is not timed. Each way then runs twice, and the second call counts. So its
    caches contain its own data, as far as `between` left it, and not the data of another way.
    """

    def timed(way: Callable[[], object]) -> float:
        if between:
            between()
            way()
            between()
        start = perf_counter()
        way()
        return perf_counter() - start

    return medians_in_turns({name: partial(timed, way) for name, way in ways.items()}, rounds)


def medians_in_turns(ways: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """Return the median of the numbers that each way returns, such as its seconds in a separate process."""
    said: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(UNCOUNTED + rounds):
        for name, way in ways.items():
            said[name].append(way())
    return {name: float(np.median(numbers[UNCOUNTED:])) for name, numbers in said.items()}
