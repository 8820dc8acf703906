"""Smooths scores over time with a time constant in seconds."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

SMOOTHING = 0.5
"""The default time constant, in seconds."""


class ExponentialMean:
    """An exponential moving mean: after a step of dt seconds the newest scores weigh 1 - exp(-dt / tau).

    The first scores weigh 1. After a pause much longer than tau, earlier scores have no weight.
    """

    def __init__(self, tau: float = SMOOTHING) -> None:
        """`tau`: the time constant, in seconds; 0 turns smoothing off."""
        self._tau = tau
        self._mean: NDArray[np.float32] | None = None
        self._time = 0.0

    def update(self, scores: NDArray[np.float32], time: float) -> NDArray[np.float32]:
        """Add the scores (K,) and return the mean (K,), a new array. `time`: seconds; must increase."""
        if self._mean is None or self._tau == 0:
            self._mean = scores.copy()
        else:
            alpha = np.float32(1 - math.exp(-(time - self._time) / self._tau))
            self._mean = self._mean + alpha * (scores - self._mean)
        self._time = time
        return self._mean

    def forget(self) -> None:
        self._mean = None
