"""Joins the scores of two models of the same labels: what each knows beside the other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

TINY = 1e-6
"""Added to probabilities before their logarithm."""
Scores = NDArray[np.float32]


@dataclass(frozen=True)
class Fusion:
    """Joins the scores of a model, the base, and of another one that knows less.

    The other's scores, divided by the prior of its training, are evidence, which the base's scores take up as in
    Bayes' rule.
    """

    prior: tuple[float, ...]
    """(K,), the share of each label in the other model's training. With 0, the other one says nothing of a label."""
    weights: tuple[float, float] = (1.0, 1.0)
    """a, of the base; b, of the evidence. b is below 1 as far as both make the same mistakes."""

    def __call__(self, base: Scores, other: Scores) -> Scores:
        """Return softmax(a log base + b log(other / prior)) for scores (N, K) of both."""
        a, b = self.weights
        logits = a * np.log(base + TINY) + b * (np.log(other + TINY) - np.log(np.array(self.prior, np.float32) + TINY))
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)
