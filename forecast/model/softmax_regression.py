"""A log-linear table: the probability of each of K outcomes, from features of the situation.

It needs few parameters, so that a week of data suffices, where a table for each combination of its parents starves.
Source: D. Böhning, "Multinomial logistic regression algorithm", Ann. Inst. Statist. Math. 44 (1992), eq. 2.4: the
curvature has a constant bound, so each step solves the same linear system and never lowers the likelihood.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harstream.forecast.model.semi_markov import Floats

BIAS_PENALTY = 0.3
MOST_STEPS = 500
PRECISION = 1e-6
"""The fit ends when the mean log-likelihood improves by less."""


@dataclass(frozen=True, eq=False)
class SoftmaxRegression:
    """P(outcome | features) = softmax(features @ weights + bias)."""

    weights: Floats
    """(F, K)"""
    bias: Floats
    """(K,)"""

    def probabilities(self, features: Floats) -> Floats:
        """Return (..., K) for features (..., F)."""
        return softmax(features @ self.weights + self.bias)

    @classmethod
    def fit(
        cls,
        features: Floats,
        outcomes: NDArray[np.intp],
        count: int,
        *,
        penalty: float | Floats,
        importance: Floats | None = None,
    ) -> SoftmaxRegression:
        """Fit to rows: features (n, F), outcomes (n,) below `count`, importance (n,).

        `penalty`: half the sum of the squared weights times it is added to the negative log-likelihood. The bias has
        a small penalty, so that an outcome that was never seen keeps a probability. A feature that is 0 in all rows
        gets the weight 0, and costs no time.
        """
        n, F = features.shape
        rows = np.ones(n) if importance is None else importance
        used = features.any(axis=0)
        design = np.hstack([features[:, used], np.ones((n, 1))])
        penalties = np.append(np.broadcast_to(np.asarray(penalty, dtype=np.float64), (F,))[used], BIAS_PENALTY)
        target = np.eye(count)[outcomes]
        # The bound of the curvature is the Kronecker product of (I - 1/K) / 2 and the design's. Its inverse is known.
        inverse = np.linalg.inv(0.5 * design.T @ (rows[:, None] * design) + np.diag(penalties))
        theta, ahead, last = *np.zeros((2, len(penalties), count)), -np.inf
        momentum = 1.0
        for _ in range(MOST_STEPS):
            scores = design @ ahead
            gradient = design.T @ (rows[:, None] * (target - softmax(scores))) - penalties[:, None] * ahead
            stepped = ahead + inverse @ gradient
            value = _objective(stepped, design, target, rows, penalties)
            if value < last:  # the acceleration went too far
                ahead, momentum = theta, 1.0
                continue
            grown = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
            ahead = stepped + (momentum - 1) / grown * (stepped - theta)
            theta, momentum = stepped, grown
            if value - last < PRECISION * rows.sum():
                break
            last = value
        weights = np.zeros((F, count))
        weights[used] = theta[:-1]
        return cls(weights, theta[-1])


def softmax(scores: Floats) -> Floats:
    """Return exp(scores), normalised over the last axis."""
    exponentials = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return np.asarray(exponentials / exponentials.sum(axis=-1, keepdims=True))


def _objective(theta: Floats, design: Floats, target: Floats, rows: Floats, penalties: Floats) -> float:
    scores = design @ theta
    top = scores.max(axis=-1, keepdims=True)
    log_sum = np.log(np.exp(scores - top).sum(axis=-1)) + top[:, 0]
    likelihood = rows @ ((scores * target).sum(axis=-1) - log_sum)
    return float(likelihood - 0.5 * (penalties[:, None] * theta**2).sum())
