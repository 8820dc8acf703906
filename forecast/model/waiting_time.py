"""How long something waits: the probability that it has happened within each time of one grid, and its quantiles."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harstream.forecast.model.semi_markov import Floats

LONGEST = 48 * 3600.0
"""Seconds ahead that are looked at."""
TIMES: Floats = np.concatenate([[0.0], np.geomspace(1.0, LONGEST, 96)])
"""(T,) the grid, in seconds. Each time is 14 % longer than the one before it."""


def quantiles(within: Floats, wanted: Sequence[float]) -> list[float]:
    """Return the seconds that pass with each probability. Infinite: later than the grid.

    `within` (T,): the probability that it has happened within each of TIMES. It never decreases.
    """
    places = np.searchsorted(within, wanted, side="left")
    return [_between(within, int(place), share) for place, share in zip(places, wanted, strict=True)]


def _between(within: Floats, place: int, share: float) -> float:
    """Return the time of a share between two times of the grid. `place`: the later one of them."""
    if place == 0:
        return 0.0
    if place == len(within):
        return float("inf")
    low, high = within[place - 1], within[place]
    return float(TIMES[place - 1] + (TIMES[place] - TIMES[place - 1]) * (share - low) / (high - low))
