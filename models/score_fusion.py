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
    kept: tuple[int, ...] = ()
    """The labels that keep the base's scores. The evidence only ranks the others among themselves."""

    def __call__(self, base: Scores, other: Scores) -> Scores:
        """Return softmax(a log base + b log(other / prior)) for scores (N, K) of both.

        With `kept` labels, the softmax is over the others, which share the score that the kept ones leave.
        """
        a, b = self.weights
        kept = self.mask()
        evidence = np.log(other + TINY) - np.log(np.array(self.prior, np.float32) + TINY)
        logits = np.where(kept, -np.inf, a * np.log(base + TINY) + b * evidence)
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        shared = 1 - base[:, kept].sum(axis=1, keepdims=True)
        return np.asarray(np.where(kept, base, shared * powers / powers.sum(axis=1, keepdims=True)), np.float32)

    def mask(self) -> NDArray[np.bool_]:
        """Return which labels (K,) are kept."""
        return np.isin(np.arange(len(self.prior)), self.kept)
