"""Several ways to do a thing, timed in turns, so that a busy moment of the machine strikes all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from time import perf_counter

import numpy as np

UNCOUNTED = 3
"""Rounds before the first that counts."""


def seconds_in_turns(
    ways: Mapping[str, Callable[[], object]], rounds: int, *, between: Callable[[], object] | None = None
) -> dict[str, float]:
    """The median time of each way over `rounds` rounds.

    `between`: done before each call and not timed. Each way is called twice then, and the second call counts: what it
    finds in the caches is what `between` left of its own, not what another way left.
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
    """Of what each way says itself, such as its seconds in a process of its own."""
    said: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(UNCOUNTED + rounds):
        for name, way in ways.items():
            said[name].append(way())
    return {name: float(np.median(numbers[UNCOUNTED:])) for name, numbers in said.items()}
