"""The features of a log-linear table: what is known of its parents, as numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from harstream.forecast.learning.local_time import hour_of, is_weekend
from harstream.forecast.model.semi_markov import Floats
from harstream.forecast.predictors.structure import parents_of

Numbers = NDArray[np.intp]

HARMONICS = (1, 2, 3)
"""Of the day: waves of 24, 12 and 8 hours."""
RECENCIES = (0.5 * 3600.0, 2 * 3600.0, 8 * 3600.0)
"""Time constants of the features that say how long ago each activity ended, in seconds."""


@dataclass(frozen=True, eq=False)
class Known:
    """What is known in n situations: the features (n, F) of each parent, in full and for combinations with others."""

    full: Mapping[str, Floats]
    crossed: Mapping[str, Floats]
    """Fewer features, because a combination multiplies them. A parent that is not in it is taken in full."""

    def features(self, parents: Mapping[str, float]) -> Floats:
        """Return (n, F) for the parents of a table."""
        rows = len(next(iter(self.full.values())))
        return np.hstack([np.zeros((rows, 0)), *(self._of(name) for name in parents)])

    def penalties(self, parents: Mapping[str, float]) -> Floats:
        """Return (F,): the penalty of each feature. `parents`: with their penalties."""
        return np.repeat(list(parents.values()), [self._of(name).shape[1] for name in parents])

    def _of(self, name: str) -> Floats:
        if name in self.full:
            return self.full[name]
        return reduce(crossed, ({**self.full, **self.crossed}[each] for each in parents_of(name)))


def numbers(found: Iterable[int | None]) -> Numbers:
    """Return (n,) numbers, with -1 for None."""
    return np.array([-1 if each is None else each for each in found], dtype=np.intp)


def one_of(numbers: Numbers, count: int) -> Floats:
    """Return (n, count): 1 in the column of each number. A number below 0 stands for not known, without a 1."""
    features = np.zeros((len(numbers), count))
    known = numbers >= 0
    features[np.nonzero(known)[0], numbers[known]] = 1.0
    return features


def crossed(first: Floats, second: Floats) -> Floats:
    """Return (n, a * b): each column of the first times each column of the second."""
    return np.asarray((first[:, :, None] * second[:, None, :]).reshape(len(first), first.shape[1] * second.shape[1]))


def recency(seconds: Floats) -> Floats:
    """Return (n, 3K): 1 for an activity that has just ended, down to 0 long after.

    `seconds` (n, K): how long ago each activity ended; infinite for one that was not seen.
    """
    return np.hstack([np.exp(-np.maximum(seconds, 0.0) / constant) for constant in RECENCIES])


def time_of_day(times: Floats, zone: tzinfo | None, harmonics: tuple[int, ...] = HARMONICS) -> Floats:
    """Return (n, 2 * harmonics): sines and cosines of local times of day."""
    hours = np.array([hour_of(time, zone) for time in times])
    angles = 2 * np.pi / 24 * hours[:, None] * np.array(harmonics)
    return np.hstack([np.sin(angles), np.cos(angles)])


def weekend(times: Floats, zone: tzinfo | None) -> Floats:
    """Return (n, 1): 1 on Saturday and Sunday."""
    return np.array([[float(is_weekend(time, zone))] for time in times]).reshape(len(times), 1)
