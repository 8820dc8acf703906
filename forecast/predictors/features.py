"""The features of a log-linear table: which parents it has, as numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from harstream.forecast.model.semi_markov import Floats

HARMONICS = (1, 2, 3)
"""Of the day: waves of 24, 12 and 8 hours."""
TIME_FEATURES = 2 * len(HARMONICS) + 1
"""The features of `time_of_day`, and one for the weekend."""
FIRST_HARMONIC = [0, len(HARMONICS)]
"""The columns of `time_of_day` with the wave of 24 hours."""


def one_of(numbers: NDArray[np.intp], count: int) -> Floats:
    """Return (n, count): 1 in the column of each number. A number below 0 stands for not known, without a 1."""
    features = np.zeros((len(numbers), count))
    known = numbers >= 0
    features[np.nonzero(known)[0], numbers[known]] = 1.0
    return features


def time_of_day(hours: Floats) -> Floats:
    """Return (n, 6): sines and cosines of local times of day in hours."""
    angles = 2 * np.pi / 24 * hours[:, None] * np.array(HARMONICS)
    return np.hstack([np.sin(angles), np.cos(angles)])


def crossed(first: Floats, second: Floats) -> Floats:
    """Return (n, a * b): each column of the first times each column of the second."""
    return np.asarray((first[:, :, None] * second[:, None, :]).reshape(len(first), first.shape[1] * second.shape[1]))
