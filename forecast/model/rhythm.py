"""The rhythm of the day: how much more often than on average something happens at an hour."""

from __future__ import annotations

import numpy as np

from harstream.forecast.model.semi_markov import Floats

WIDTH = 1.0
"""The standard deviation of the kernel, in hours."""
STRENGTH = 0.5
"""Counts that pull a ratio towards 1."""
SMALLEST, LARGEST = 0.1, 10.0


def ratio(observed: Floats, expected: Floats) -> Floats:
    """Return the ratio of what was observed near an hour to what a model without rhythm expects there."""
    return np.asarray(np.clip((observed + STRENGTH) / (expected + STRENGTH), SMALLEST, LARGEST))


def nearness(first: Floats, second: Floats, width: float = WIDTH) -> Floats:
    """Return the kernel weight, 0 to 1, of two times of the day in hours. Midnight is near to 23:59."""
    apart = np.abs(first - second) % 24
    apart = np.minimum(apart, 24 - apart)
    return np.asarray(np.exp(-0.5 * (apart / width) ** 2))
