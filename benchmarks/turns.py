"""Several ways to do a thing, timed in turns, so that a busy moment of the machine strikes all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(UNCOUNTED + rounds):
        for name, way in ways.items():
            if between:
                between()
                way()
                between()
            start = perf_counter()
            way()
            times[name].append(perf_counter() - start)
    return {name: float(np.median(spent[UNCOUNTED:])) for name, spent in times.items()}
